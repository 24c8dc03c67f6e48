#include "restore/run_merge.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "restore/row_table.h"
#include "restore/run_file.h"
#include "test/restore/restore_support.h"

namespace weir {
namespace {

// nullopt: a deletion.
using Rows = std::map<std::string, std::optional<std::string>>;

Rows ReadAll(SortedRows& sorted) {
  Rows rows;
  std::string last;
  Status status = sorted.Next();
  while (status.ok() && sorted.valid()) {
    const std::string key(sorted.key());
    EXPECT_TRUE(rows.empty() || last < key);
    last = key;
    rows[key] = sorted.deleted() ? std::nullopt : std::optional(std::string(sorted.row()));
    status = sorted.Next();
  }
  EXPECT_TRUE(status.ok()) << status.message();
  return rows;
}

void PutAll(RowTable& table, const std::vector<RecordingSink::Record>& log, size_t begin, size_t end,
            Rows* model) {
  ChangelogRows rows("store", /*timestamped=*/true, std::nullopt, Observed{});
  for (const ChangelogRecord& record : RecordsOf(log, begin, end)) {
    const uint64_t hash = RowTable::HashOf(record.key);
    // Asking ahead changes nothing.
    table.PrefetchSlot(hash);
    table.PrefetchEntry(hash);
    table.PrefetchKey(hash);
    table.Put(rows.RowOf(record), hash);
    (*model)[std::string(record.key)] =
        record.value.has_value()
            ? std::optional(TimestampBytes(record.timestamp_ms) + std::string(*record.value))
            : std::nullopt;
  }
}

TEST(RowTable, KeepsTheLastRowOfEachKeyInOrder) {
  Random random;
  RowTable table;
  for (int round = 0; round < 50; round++) {
    const size_t records = random.Below(5000);
    const auto log = RandomChangelog(random, records, 1 + random.Below(2000), 1 + random.Below(40));
    Rows model;
    PutAll(table, log, 0, records, &model);
    EXPECT_EQ(table.size(), model.size());
    EXPECT_EQ(ReadAll(*table.Sort()), model);
    table.Clear();
    EXPECT_EQ(table.bytes(), 0u);
  }
}

TEST(RunMerge, TheNewestRunWins) {
  Random random;
  TemporaryFolder folder;
  for (int round = 0; round < 30; round++) {
    const size_t records = random.Below(10'000);
    // Some rows are larger than a buffer.
    const auto log = RandomChangelog(random, records, 1 + random.Below(3000), random.OneIn(5) ? 20'000 : 50);
    Rows model;
    std::vector<std::unique_ptr<RunFile>> files;
    std::vector<std::unique_ptr<SortedRows>> runs;
    RowTable last;
    for (size_t begin = 0; begin < records;) {
      const size_t end = std::min(records, begin + 1 + random.Below(2000));
      if (end == records) {
        PutAll(last, log, begin, end, &model);
        runs.push_back(last.Sort());
        break;
      }
      RowTable table;
      PutAll(table, log, begin, end, &model);
      begin = end;
      Result<std::unique_ptr<RunFile>> file =
          RunFile::Create(folder / std::to_string(files.size()), 1 + random.Below(10'000));
      ASSERT_TRUE(file.ok());
      const auto rows = table.Sort();
      ASSERT_OK(rows->Next());
      while (rows->valid()) {
        ASSERT_OK(file.value()->Append(rows->key(), rows->deleted(), rows->row()));
        ASSERT_OK(rows->Next());
      }
      ASSERT_OK(file.value()->Finish());
      files.push_back(std::move(file.value()));
      runs.push_back(files.back()->Read(1 + random.Below(10'000)));
    }
    RunMerge merge(std::move(runs));
    EXPECT_EQ(ReadAll(merge), model);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "run files are left";
}

TEST(RunFile, AFileThatBecameShorterIsAnError) {
  TemporaryFolder folder;
  Result<std::unique_ptr<RunFile>> file = RunFile::Create(folder / "run", 4096);
  ASSERT_TRUE(file.ok());
  ASSERT_OK(file.value()->Append("key", false, std::string(10'000, 'x')));
  ASSERT_OK(file.value()->Finish());
  std::filesystem::resize_file(folder / "run", 5'000);
  EXPECT_EQ(file.value()->Read(4096)->Next().code(), "rocksdb:IOError");
}

TEST(RunFile, AFolderThatIsMissingIsNamed) {
  const Result<std::unique_ptr<RunFile>> file = RunFile::Create("/no/such/folder/run", 4096);
  EXPECT_EQ(file.status().code(), "rocksdb:IOError");
  EXPECT_NE(file.status().message().find("/no/such/folder/run"), std::string::npos);
}

}  // namespace
}  // namespace weir
