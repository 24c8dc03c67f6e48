#include <gtest/gtest.h>

#include <thread>

#include "state/task_database.h"
#include "test/state/state_support.h"

namespace weir {
namespace {

TEST(TaskDatabase, ClearStoreRemovesRowsAndOffset) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  for (int i = 0; i < 1000; i++) {
    ASSERT_OK(PutOne(*database, 0, std::to_string(i), "x"));
    ASSERT_OK(PutOne(*database, 2, std::to_string(i), "y"));
  }
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_OK(database->ClearStore(0));
  EXPECT_TRUE(ScanAll(database, 0).empty());
  EXPECT_EQ(ScanAll(database, 2).size(), 1000u);
  EXPECT_EQ(database->Offsets()[0].offset, -1);
  // What a crash right here leaves is the same.
  database->BeginClose();
  ASSERT_OK(database->CloseAsAfterCrash());
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_TRUE(ScanAll(database, 0).empty());
  EXPECT_EQ(database->Offsets()[0].offset, -1);
  EXPECT_EQ(ScanAll(database, 2).size(), 1000u);
  ASSERT_OK(database->WriteRestored(0, {{"a", "1", 5}}, 1));
  EXPECT_EQ(ScanAll(database, 0), (std::vector<std::pair<std::string, std::string>>{{"a", "1"}}));
}

TEST(TaskDatabase, ARestoreThatHasNotEndedIsAsOldAsItsBegin) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto age_after_a_pause = [&database] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return database->Offsets()[0].written_at_ms;
  };
  ASSERT_OK(database->ClearStore(0));
  const int64_t begin = age_after_a_pause();
  database->BeginRestore(0);
  ASSERT_OK(database->WriteRestored(0, {{"a", "1", 1}}, 7));
  EXPECT_EQ(age_after_a_pause(), begin);
  EXPECT_EQ(database->Offsets()[0].offset, 7);
  // Also when another life goes on with it.
  ASSERT_OK(database->Close());
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  database->BeginRestore(0);
  ASSERT_OK(database->WriteRestored(0, {{"b", "2", 1}}, 9));
  EXPECT_EQ(age_after_a_pause(), begin);
  database->EndRestore(0);
  ASSERT_OK(database->WriteRestored(0, {}, 9));
  EXPECT_GT(age_after_a_pause(), begin);
  // Begun anew, it is as young as that.
  const int64_t end = age_after_a_pause();
  database->BeginRestore(0);
  ASSERT_OK(database->ClearStore(0));
  EXPECT_GT(age_after_a_pause(), end);
}

}  // namespace
}  // namespace weir
