#include <gtest/gtest.h>

#include "state/task_database.h"
#include "test/state/state_support.h"

namespace weir {
namespace {

Status EmptyOne(TaskDatabase& database, size_t store) {
  const Status begun = database.BeginEmpty(store);
  return begun.ok() ? database.Empty(store) : begun;
}

TEST(EmptyStore, RemovesRowsOfTheDiskAndKeptOnesAndLeavesTheOffset) {
  for (const int64_t kept : {0, 1 << 20}) {
    TemporaryFolder folder;
    StateMemoryOptions options = SmallMemory();
    options.kept_bytes_max = kept;
    const auto memory = AcquireMemory(options);
    auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
    const auto sink = ThreeStoresSink();
    ASSERT_OK(PutOne(*database, 0, "a", "1"));
    ASSERT_OK(PutOne(*database, 2, "c", "3"));
    ASSERT_OK(CommitAll(*database, sink));
    ASSERT_OK(EmptyOne(*database, 0));
    EXPECT_EQ(GetOne(*database, 0, "a"), std::nullopt);
    EXPECT_TRUE(ScanAll(database, 0).empty());
    EXPECT_EQ(GetOne(*database, 2, "c"), "3");
    ASSERT_OK(PutOne(*database, 0, "b", "2"));
    ASSERT_OK(CommitAll(*database, sink));

    database->BeginClose();
    ASSERT_OK(database->Close());
    database.reset();
    EXPECT_EQ(memory->Usage().overlay_bytes, 0u);
    database = OpenDatabase(memory, ThreeStores(folder / "db"));
    EXPECT_EQ(database->Offsets()[0].offset, 2);
    EXPECT_EQ(ScanAll(database, 0), (std::vector<std::pair<std::string, std::string>>{{"b", "2"}}));
    EXPECT_EQ(GetOne(*database, 2, "c"), "3");
  }
}

TEST(EmptyStore, AfterACrashTheOffsetIsNoHigherThanWhatIsThere) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_OK(database->Flush());
  ASSERT_OK(PutOne(*database, 0, "b", "2"));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_OK(EmptyOne(*database, 0));
  database->BeginClose();
  ASSERT_OK(database->CloseAsAfterCrash());
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_TRUE(ScanAll(database, 0).empty());
  EXPECT_EQ(database->Offsets()[0].offset, 1);
}

TEST(EmptyStore, IsRefusedWhileThereAreChangesAndForWhatIsInMemory) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  options.stores[1].in_memory = true;
  auto database = OpenDatabase(memory, options);
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  EXPECT_EQ(EmptyOne(*database, 0).code(), "invalid");
  EXPECT_EQ(EmptyOne(*database, 1).code(), "invalid");
  EXPECT_EQ(EmptyOne(*database, 3).code(), "invalid");
  EXPECT_EQ(GetOne(*database, 0, "a"), "1");
}

TEST(EmptyStore, ATaskThatGoesMayDiscardAndCloseMeanwhile) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_OK(database->BeginEmpty(0));
  ASSERT_OK(database->Discard());
  database->BeginClose();
  ASSERT_OK(database->Close());
  EXPECT_EQ(database->Empty(0).code(), "closed");
}

}  // namespace
}  // namespace weir
