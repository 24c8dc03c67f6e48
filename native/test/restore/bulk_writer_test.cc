#include "restore/bulk_writer.h"

#include <gtest/gtest.h>

#include <filesystem>

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
