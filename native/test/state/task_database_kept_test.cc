#include <gtest/gtest.h>

#include "state/task_database.h"
#include "test/state/state_support.h"

namespace weir {
namespace {

StateMemoryOptions Keeping(int64_t bytes = 1 << 20) {
  StateMemoryOptions options = SmallMemory();
  options.kept_bytes_max = bytes;
  return options;
}

int64_t OffsetOf(const TaskDatabase& database, size_t store) { return database.Offsets()[store].offset; }

TEST(KeptRows, ACommitLeavesThemInMemoryWhereTheyAreRead) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory(Keeping());
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(PutOne(*database, 0, "b", "2"));
  ASSERT_OK(CommitAll(*database, sink));
  EXPECT_EQ(GetOne(*database, 0, "a"), "1");
  EXPECT_EQ(ScanAll(database, 0).size(), 2u);
  EXPECT_EQ(OffsetOf(*database, 0), -1);
  EXPECT_EQ(database->Property("weir.overlay-entries").value(), 0u);
  EXPECT_EQ(database->ApproximateEntries(0).value(), 2u);
  EXPECT_EQ(database->StoreProperty(0, "rocksdb.estimate-num-keys").value(), 2u);
  EXPECT_GT(memory->Usage().overlay_bytes, 0u);

  // The next commit tells the changelog what changed since, and nothing else.
  ASSERT_OK(PutOne(*database, 0, "b", std::nullopt));
  ASSERT_OK(PutOne(*database, 0, "c", "3"));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_EQ(sink->log(0).size(), 4u);
  EXPECT_EQ(sink->log(0)[2].key, "b");
  EXPECT_EQ(sink->log(0)[2].value, std::nullopt);
  EXPECT_EQ(sink->log(0)[3].key, "c");

  database->BeginClose();
  ASSERT_OK(database->Close());
  database.reset();
  EXPECT_EQ(memory->Usage().overlay_bytes, 0u);
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_EQ(OffsetOf(*database, 0), 4);
  EXPECT_EQ(ScanAll(database, 0), (std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"c", "3"}}));
}

TEST(KeptRows, ClosingWritesNoneOfAStoreThatWasChangedSince) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory(Keeping());
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "a", "committed"));
  ASSERT_OK(PutOne(*database, 0, "b", "committed"));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_OK(PutOne(*database, 0, "a", "uncommitted"));
  database->BeginClose();
  ASSERT_OK(database->Close());
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_EQ(OffsetOf(*database, 0), -1);
  EXPECT_TRUE(ScanAll(database, 0).empty());
}

// Each store's rows and offset are its own: the changelog brings back the one, and the disk has the other.
TEST(KeptRows, DiscardForgetsThemWithTheirOffsetWhereOneWasChangedSince) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory(Keeping());
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "a", "committed"));
  ASSERT_OK(PutOne(*database, 1, "b", "committed"));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_OK(PutOne(*database, 0, "c", "uncommitted"));
  ASSERT_OK(database->Discard());
  EXPECT_EQ(GetOne(*database, 0, "a"), std::nullopt);
  EXPECT_EQ(GetOne(*database, 1, "b"), "committed");
  database->BeginClose();
  ASSERT_OK(database->Close());
  database.reset();
  EXPECT_EQ(memory->Usage().overlay_bytes, 0u);
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_EQ(OffsetOf(*database, 0), -1);
  EXPECT_TRUE(ScanAll(database, 0).empty());
  EXPECT_EQ(OffsetOf(*database, 1), 1);
  EXPECT_EQ(GetOne(*database, 1, "b"), "committed");
}

TEST(KeptRows, WithNoneChangedADiscardAndClosingWriteThem) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory(Keeping());
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  ASSERT_OK(PutOne(*database, 0, "a", "committed"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  ASSERT_OK(database->Discard());
  database->BeginClose();
  ASSERT_OK(database->Close());
  database.reset();
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_EQ(OffsetOf(*database, 0), 1);
  EXPECT_EQ(GetOne(*database, 0, "a"), "committed");
}

// What no changelog brings back is written at every commit.
TEST(KeptRows, AStoreWithoutAChangelogHasNone) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory(Keeping());
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  ASSERT_OK(PutOne(*database, 0, "kept", "1"));
  ASSERT_OK(PutOne(*database, 2, "written", "1"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  ASSERT_OK(PutOne(*database, 0, "kept", "2"));
  ASSERT_OK(PutOne(*database, 2, "written", "2"));
  ASSERT_OK(database->Discard());
  EXPECT_EQ(GetOne(*database, 0, "kept"), std::nullopt);
  EXPECT_EQ(GetOne(*database, 2, "written"), "1");
}

TEST(KeptRows, AllAreWrittenWhenTheyOutgrowTheirMemory) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory(Keeping(20'000));
  const auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  int commits = 0;
  while (OffsetOf(*database, 0) < 0 && commits < 100) {
    ASSERT_OK(PutOne(*database, 0, std::to_string(commits++), std::string(1000, 'x')));
    ASSERT_OK(CommitAll(*database, sink));
  }
  EXPECT_GT(commits, 10);
  EXPECT_LT(commits, 30);
  EXPECT_EQ(OffsetOf(*database, 0), commits);
  EXPECT_EQ(ScanAll(database, 0).size(), static_cast<size_t>(commits));
  EXPECT_EQ(memory->Usage().overlay_bytes, 0u);
  // And the same again, for a row that only changes: it takes no more memory, and stays.
  for (int i = 0; i < 100; i++) {
    ASSERT_OK(PutOne(*database, 0, "0", std::to_string(i)));
    ASSERT_OK(CommitAll(*database, sink));
  }
  EXPECT_EQ(OffsetOf(*database, 0), commits);
  EXPECT_EQ(GetOne(*database, 0, "0"), "99");
}

TEST(KeptRows, AreWrittenBeforeMoreRecordsThanAFlushIsDueFor) {
  TemporaryFolder folder;
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  options.flush_every_records = 10;
  const auto database = OpenDatabase(AcquireMemory(Keeping()), options);
  const auto sink = ThreeStoresSink();
  for (int i = 0; i < 10; i++) {
    ASSERT_OK(PutOne(*database, 0, "a", std::to_string(i)));
    ASSERT_OK(CommitAll(*database, sink));
    EXPECT_EQ(OffsetOf(*database, 0), -1);
  }
  ASSERT_OK(PutOne(*database, 0, "a", "last"));
  ASSERT_OK(CommitAll(*database, sink));
  EXPECT_EQ(OffsetOf(*database, 0), 11);
  // Nor are so many that come at once.
  for (int i = 0; i < 11; i++) ASSERT_OK(PutOne(*database, 0, std::to_string(i), "1"));
  ASSERT_OK(CommitAll(*database, sink));
  EXPECT_EQ(OffsetOf(*database, 0), 22);
}

TEST(KeptRows, ASharedDatabaseHasNone) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(Keeping()), ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, sink));
  const int64_t id = database->Share();
  ASSERT_OK(PutOne(*database, 0, "b", "2"));
  ASSERT_OK(CommitAll(*database, sink));
  const auto reader = TaskDatabase::Attach(id).value();
  EXPECT_EQ(ScanAll(reader, 0).size(), 2u);
}

}  // namespace
}  // namespace weir
