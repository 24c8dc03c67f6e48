#include "restore/bulk_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "restore/direct_writer.h"
#include "state/offsets.h"
#include "test/restore/restore_support.h"

namespace weir {
namespace {

constexpr size_t kTimed = 1;

std::unique_ptr<RestoreWriter> NewBulkWriter(TaskDatabase& database, size_t store, size_t memory_bytes) {
  Result<std::unique_ptr<RestoreWriter>> writer = BulkWriter::Create(database, store, memory_bytes);
  EXPECT_TRUE(writer.ok()) << writer.status().message();
  return std::move(writer.value());
}

Status WriteAll(RestoreWriter& writer, Random& random, const std::vector<RecordingSink::Record>& log) {
  for (size_t begin = 0; begin < log.size();) {
    const size_t end = std::min(log.size(), begin + 1 + random.Below(3000));
    Status status = writer.Write(RecordsOf(log, begin, end), static_cast<int64_t>(end));
    if (status.ok()) status = WorkOff(writer);
    if (!status.ok()) return status;
    begin = end;
  }
  Status status = writer.Finish(static_cast<int64_t>(log.size()));
  return status.ok() ? WorkOff(writer) : status;
}

// A restore with a pause after each call.
class SteppedRestore {
 public:
  SteppedRestore(RestoreWriter& writer, const std::vector<RecordingSink::Record>& log)
      : writer_(writer), log_(log) {}

  Status Step() {
    if (writer_.busy()) return writer_.Work();
    if (begin_ == log_.size()) {
      finishing_ = true;
      return writer_.Finish(static_cast<int64_t>(begin_));
    }
    const size_t begin = begin_;
    begin_ = std::min(log_.size(), begin_ + 1500);
    return writer_.Write(RecordsOf(log_, begin, begin_), static_cast<int64_t>(begin_));
  }
  bool finished() const { return finishing_ && !writer_.busy(); }

 private:
  RestoreWriter& writer_;
  const std::vector<RecordingSink::Record>& log_;
  size_t begin_ = 0;
  bool finishing_ = false;
};

// A database as a crash at this moment would leave it, in another folder.
std::string CopyAfterCrash(TaskDatabase& database, const std::string& copy) {
  EXPECT_TRUE(database.CloseAsAfterCrash().ok());
  std::filesystem::copy(database.path(), copy, std::filesystem::copy_options::recursive);
  return copy;
}

TEST(BulkWriter, RestoresWhatTheChangelogSays) {
  Random random;
  for (int round = 0; round < 25; round++) {
    TemporaryFolder folder;
    const std::string path = folder / "db";
    const size_t store = random.Below(2);
    // From one table in memory to hundreds of runs of three generations.
    const size_t memory = size_t{1} << (16 + random.Below(8));
    const size_t records = random.Below(100'000);
    const auto log = RandomChangelog(random, records, 1 + random.Below(30'000), 1 + random.Below(60));
    auto database = OpenDatabase(AcquireMemory(), ThreeStores(path));
    ASSERT_OK(PutOne(*database, 2, "of another store", "x"));
    ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
    ASSERT_OK(database->SetTopicId(database->options().stores[store].name, "the-id"));
    auto writer = NewBulkWriter(*database, store, memory);
    ASSERT_OK(WriteAll(*writer, random, log));
    writer.reset();

    const auto rows = RowsOf(Replay(log, static_cast<int64_t>(records), store == kTimed));
    EXPECT_EQ(ScanAll(database, store), rows) << "memory " << memory;
    for (int i = 0; i < 100 && !rows.empty(); i++) {
      const auto& row = rows[random.Below(rows.size())];
      EXPECT_EQ(GetOne(*database, store, row.first), row.second);
    }
    EXPECT_FALSE(std::filesystem::exists(database->RestoreFolder(store)));
    if (!rows.empty()) {
      // It is on the disk without a flush. What is not flushed of other stores may be lost.
      ASSERT_OK(database->CloseAsAfterCrash());
    } else {
      ASSERT_OK(database->Close());
    }
    database.reset();
    ExpectFilesAtTheBottom(
        FilesOf(path, kStoreFamilyPrefix + std::string(store == kTimed ? "timed" : "plain")));
    database = OpenDatabase(AcquireMemory(), ThreeStores(path));
    EXPECT_EQ(ScanAll(database, store), rows);
    EXPECT_EQ(database->Offsets()[store].offset, static_cast<int64_t>(records));
    EXPECT_EQ(database->Offsets()[store].topic_id, "the-id");
  }
}

TEST(BulkWriter, ACrashLeavesAllOrNothing) {
  Random random;
  for (int round = 0; round < 12; round++) {
    TemporaryFolder folder;
    const size_t records = 1 + random.Below(40'000);
    const auto log = RandomChangelog(random, records, 5'000, 30);
    const auto rows = RowsOf(Replay(log, static_cast<int64_t>(records), /*timestamped=*/true));
    // The same restore, and each time the crash comes a step later.
    bool finished = false;
    for (int step = static_cast<int>(random.Below(3)); !finished;
         step += 1 + static_cast<int>(random.Below(6))) {
      const std::string path = folder / std::to_string(step);
      auto database = OpenDatabase(AcquireMemory(), ThreeStores(path));
      ASSERT_OK(database->WriteRestored(kTimed, {}, 0));
      auto writer = NewBulkWriter(*database, kTimed, 64 << 10);
      SteppedRestore restore(*writer, log);
      for (int i = 0; i < step && !finished; i++) {
        ASSERT_OK(restore.Step());
        finished = restore.finished();
      }
      const std::string copy = CopyAfterCrash(*database, path + "-after");
      writer.reset();
      database.reset();

      database = OpenDatabase(AcquireMemory(), ThreeStores(copy));
      EXPECT_FALSE(std::filesystem::exists(copy + kRestoreFolder)) << "orphans are left";
      const int64_t offset = database->Offsets()[kTimed].offset;
      if (finished && !rows.empty()) {
        EXPECT_EQ(offset, static_cast<int64_t>(records));
      }
      if (offset == static_cast<int64_t>(records)) {
        EXPECT_EQ(ScanAll(database, kTimed), rows);
        continue;
      }
      // The offset before was never flushed.
      EXPECT_EQ(offset, -1);
      EXPECT_TRUE(ScanAll(database, kTimed).empty());
      // And the whole restore goes through afterwards.
      auto again = NewBulkWriter(*database, kTimed, 64 << 10);
      ASSERT_OK(WriteAll(*again, random, log));
      EXPECT_EQ(ScanAll(database, kTimed), rows);
    }
  }
}

TEST(BulkWriter, AfterClosingItFailsAndLeavesNothing) {
  Random random;
  TemporaryFolder folder;
  const auto log = RandomChangelog(random, 10'000, 5'000, 30);
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  auto writer = NewBulkWriter(*database, 0, 64 << 10);
  ASSERT_OK(database->Close());
  EXPECT_EQ(WriteAll(*writer, random, log).code(), "closed");
  writer.reset();
  EXPECT_FALSE(std::filesystem::exists(database->RestoreFolder(0)));
}

TEST(BulkWriter, OtherStoresKeepTheirUnflushedRows) {
  Random random;
  TemporaryFolder folder;
  const std::string path = folder / "db";
  const auto log = RandomChangelog(random, 5'000, 2'000, 30);
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(path));
  // In memtables, the offset of the store that is restored among them.
  ASSERT_OK(database->WriteRestored(0, RecordsOf(log, 0, 100), 100));
  ASSERT_OK(database->WriteRestored(kTimed, {}, 7));
  auto writer = NewBulkWriter(*database, kTimed, 1 << 20);
  ASSERT_OK(WriteAll(*writer, random, log));
  ASSERT_OK(database->WriteRestored(0, RecordsOf(log, 100, 200), 200));
  writer.reset();
  ASSERT_OK(database->CloseAsAfterCrash());
  database.reset();
  database = OpenDatabase(AcquireMemory(), ThreeStores(path));
  EXPECT_EQ(database->Offsets()[kTimed].offset, 5'000);
  EXPECT_EQ(ScanAll(database, kTimed), RowsOf(Replay(log, 5'000, true)));
  // The plain store is some past state together with its offset.
  const int64_t offset = database->Offsets()[0].offset;
  EXPECT_TRUE(offset == -1 || offset == 100 || offset == 200) << offset;
  EXPECT_EQ(ScanAll(database, 0), RowsOf(Replay(log, std::max<int64_t>(offset, 0), false)));
}

constexpr SegmentSettings kSegments{120'000, 60'000, SegmentSettings::kWindowSuffixBytes};

TaskDatabaseOptions OneWindowStore(const std::string& path, bool in_memory = false) {
  return {path, 0, {{"windows", true, "windows-log", in_memory, kSegments}}, 1'000'000, 3'600'000, {}};
}

// Windows of `minutes`, told about in this order but for some that come late.
std::vector<RecordingSink::Record> WindowsChangelog(Random& random, size_t records, int64_t minutes) {
  std::vector<RecordingSink::Record> log;
  for (size_t i = 0; i < records; i++) {
    const int64_t now_ms = static_cast<int64_t>(i) * minutes * 60'000 / static_cast<int64_t>(records);
    const auto late_ms = static_cast<int64_t>(random.Below(random.OneIn(10) ? 400'000 : 100'000));
    std::string key = "user-" + std::to_string(random.Below(200));
    std::string suffix(12, '\0');
    // Whole ten seconds, so that windows are changed again.
    PutInt64(suffix.data(), std::max<int64_t>(0, now_ms - late_ms) / 10'000 * 10'000);
    suffix[11] = static_cast<char>(random.Below(3));
    log.push_back({key + suffix,
                   random.OneIn(5) ? std::nullopt : std::optional(random.Bytes(random.Below(30))), now_ms});
  }
  return log;
}

// What a list of all records says: the last of each key, those of live segments, as they stand on disk.
std::map<std::string, std::string> LiveWindows(const std::vector<RecordingSink::Record>& log) {
  int64_t stream_time_ms = -1;
  const auto time_of = [](const std::string& key) { return GetInt64(key.data() + key.size() - 12); };
  for (const RecordingSink::Record& record : log)
    stream_time_ms = std::max(stream_time_ms, time_of(record.key));
  std::map<std::string, std::string> rows;
  for (const RecordingSink::Record& record : log) {
    const int64_t segment = time_of(record.key) / 60'000;
    if (segment < (stream_time_ms - 120'000) / 60'000) continue;
    std::string head(8, '\0');
    PutInt64(head.data(), segment);
    const std::string stored = head + record.key;
    rows.erase(stored);
    if (!record.value.has_value()) continue;
    PutInt64(head.data(), record.timestamp_ms);
    rows.emplace(stored, head + *record.value);
  }
  return rows;
}

TEST(BulkWriter, RestoresTheLiveSegments) {
  Random random;
  for (int round = 0; round < 15; round++) {
    TemporaryFolder folder;
    const std::string path = folder / "db";
    const size_t memory = size_t{1} << (16 + random.Below(6));
    const size_t records = 1 + random.Below(40'000);
    // From windows that all live to such as hardly any does.
    const auto log = WindowsChangelog(random, records, 1 + static_cast<int64_t>(random.Below(60)));
    const auto live = LiveWindows(log);
    const std::vector<std::pair<std::string, std::string>> rows(live.begin(), live.end());
    auto database = OpenDatabase(AcquireMemory(), OneWindowStore(path));
    ASSERT_OK(WriteAll(*NewBulkWriter(*database, 0, memory), random, log));
    EXPECT_EQ(ScanAll(database, 0), rows) << "memory " << memory;

    // Written as it comes it is the same, on disk and in memory.
    auto direct = OpenDatabase(AcquireMemory(), OneWindowStore(folder / "direct"));
    DirectWriter writer(*direct, 0);
    ASSERT_OK(WriteAll(writer, random, log));
    EXPECT_EQ(ScanAll(direct, 0), rows);
    auto in_memory = OpenDatabase(AcquireMemory(), OneWindowStore(folder / "memory", /*in_memory=*/true));
    DirectWriter memory_writer(*in_memory, 0);
    ASSERT_OK(WriteAll(memory_writer, random, log));
    EXPECT_EQ(ScanAll(in_memory, 0), rows);
    const Observed observed = direct->ObservedBy(0).value();
    EXPECT_EQ(database->ObservedBy(0).value(), observed);
    EXPECT_EQ(in_memory->ObservedBy(0).value(), observed);

    // On the disk without a flush, with what was observed.
    ASSERT_OK(database->CloseAsAfterCrash());
    database.reset();
    ExpectFilesAtTheBottom(FilesOf(path, kStoreFamilyPrefix + std::string("windows")));
    database = OpenDatabase(AcquireMemory(), OneWindowStore(path));
    EXPECT_EQ(ScanAll(database, 0), rows);
    EXPECT_EQ(database->ObservedBy(0).value(), observed);
    EXPECT_EQ(database->Offsets()[0].offset, static_cast<int64_t>(records));
  }
}

TEST(BulkWriter, RefusesAKeyThatIsNoWindows) {
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), OneWindowStore(folder / "db"));
  EXPECT_EQ(NewBulkWriter(*database, 0, 1 << 20)->Write({{"short", "1", 5}}, 1).code(), "invalid");
}

TEST(RestoreWriter, OnlyAnEmptyStoreIsRestoredInBulk) {
  Random random;
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const auto log = RandomChangelog(random, 100, 50, 30);
  const auto is_bulk = [&](int64_t records) {
    Result<std::unique_ptr<RestoreWriter>> writer = NewRestoreWriter(*database, 0, records, 1 << 20);
    EXPECT_TRUE(writer.ok());
    return dynamic_cast<BulkWriter*>(writer.value().get()) != nullptr;
  };
  EXPECT_TRUE(is_bulk(kBulkRecordsMin));
  EXPECT_FALSE(is_bulk(kBulkRecordsMin - 1));
  ASSERT_OK(database->WriteRestored(0, RecordsOf(log, 0, 100), 100));
  ASSERT_FALSE(ScanAll(database, 0).empty());
  EXPECT_FALSE(is_bulk(kBulkRecordsMin));
}

}  // namespace
}  // namespace weir
