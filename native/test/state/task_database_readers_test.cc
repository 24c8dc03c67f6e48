#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "state/task_database.h"
#include "test/state/state_support.h"

namespace weir {
namespace {

std::shared_ptr<TaskDatabase> AttachTo(TaskDatabase& database) {
  Result<std::shared_ptr<TaskDatabase>> reader = TaskDatabase::Attach(database.Share());
  EXPECT_TRUE(reader.ok()) << reader.status().message();
  return reader.ok() ? reader.value() : nullptr;
}

TEST(TaskDatabaseReaders, AReaderSeesWhatWasCommittedAndChangesNothing) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const auto reader = AttachTo(*database);
  ASSERT_OK(PutOne(*database, 2, "a", "1"));
  EXPECT_EQ(GetOne(*reader, 2, "a"), std::nullopt);
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  EXPECT_EQ(GetOne(*reader, 2, "a"), "1");
  EXPECT_EQ(ScanAll(reader, 2), RowsOf({{"a", "1"}}));

  EXPECT_EQ(PutOne(*reader, 2, "a", "2").code(), "invalid");
  EXPECT_EQ(reader->BeginDrain().code(), "invalid");
  EXPECT_EQ(reader->BeginCommit().code(), "invalid");
}

TEST(TaskDatabaseReaders, AScanThatBeginsAnewSeesWhatWasCommittedSince) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const auto reader = AttachTo(*database);
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 2, "a", "1"));
  ASSERT_OK(CommitAll(*database, sink));
  const auto scan = reader->NewScan(2, std::nullopt, std::nullopt, false).value();
  for (int value = 2; value < 5; value++) {
    ASSERT_OK(PutOne(*database, 2, "a", std::to_string(value)));
    ASSERT_OK(CommitAll(*database, sink));
    EXPECT_EQ(ReadScan(*scan), RowsOf({{"a", std::to_string(value - 1)}}));
    if (value == 3) scan->End();
    ASSERT_TRUE(scan->Begin(std::nullopt, std::nullopt, false));
  }
}

TEST(TaskDatabaseReaders, RocksdbClosesWithTheLastOfThem) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const int64_t id = database->Share();
  auto reader = AttachTo(*database);
  ASSERT_OK(PutOne(*database, 2, "a", "1"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));

  database->BeginClose();
  EXPECT_EQ(TaskDatabase::Attach(id).status().code(), "closed");
  ASSERT_OK(database->Close());
  database.reset();
  EXPECT_EQ(GetOne(*reader, 2, "a"), "1");
  EXPECT_EQ(TaskDatabase::Open(memory, ThreeStores(folder / "db")).status().code(), "rocksdb:Busy");
  reader->BeginClose();
  ASSERT_OK(reader->Close());
  ASSERT_OK(reader->Close());
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_EQ(GetOne(*database, 2, "a"), "1");
}

TEST(TaskDatabaseReaders, StoresInMemoryAreNotShared) {
  TemporaryFolder folder;
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  options.stores[2].in_memory = true;
  const auto database = OpenDatabase(AcquireMemory(), options);
  EXPECT_EQ(TaskDatabase::Attach(database->Share()).status().code(), "invalid");
}

// Every commit gives all rows the same value, so whatever a reader sees must be of one commit in a scan, and never older
// than what it saw before.
TEST(TaskDatabaseReaders, ReadersOfOtherThreadsSeeWholeCommitsInOrder) {
  constexpr int kRows = 20;
  constexpr int kCommits = 300;
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  const auto put_all = [&](int value) {
    ChangeBatch batch;
    for (int i = 0; i < kRows; i++) batch.Put("row" + std::to_string(i), std::to_string(value));
    EXPECT_TRUE(batch.Apply(*database, 2).ok());
    EXPECT_TRUE(CommitAll(*database, sink).ok());
  };
  put_all(1);
  std::atomic<bool> stop{false};
  const auto read = [&](const std::shared_ptr<TaskDatabase>& reader) {
    int last = 1;
    while (!stop.load()) {
      const std::vector<std::pair<std::string, std::string>> rows = ScanAll(reader, 2);
      ASSERT_EQ(rows.size(), static_cast<size_t>(kRows));
      const int first = std::stoi(rows[0].second);
      for (const auto& row : rows) ASSERT_EQ(std::stoi(row.second), first);
      ASSERT_GE(first, last);
      const int one = std::stoi(GetOne(*reader, 2, "row7").value());
      ASSERT_GE(one, first);
      last = one;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; i++) threads.emplace_back(read, AttachTo(*database));
  for (int value = 2; value <= kCommits; value++) {
    put_all(value);
    if (value % 50 == 0) ASSERT_OK(database->Flush());
  }
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace weir
