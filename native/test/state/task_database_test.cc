#include "state/task_database.h"

#include <gtest/gtest.h>

#include "test/state/state_support.h"

namespace weir {
namespace {

TEST(TaskDatabase, WrongPositionsAreRefused) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const double timestamp = 0;
  for (const std::vector<int32_t>& columns :
       std::vector<std::vector<int32_t>>{{0, 11, 0, 0},
                                         {-1, 2, 0, 0},
                                         {0, -1, 0, 0},
                                         {0, 1, 5, 6},
                                         {0, 1, -1, 1},
                                         {INT32_MAX, INT32_MAX, 0, 0}}) {
    std::vector<int32_t> copy = columns;
    EXPECT_EQ(database->Apply(0, "0123456789", RowColumns(copy.data(), 1), &timestamp, 1).status().code(),
              "invalid");
  }
  std::vector<int32_t> no_timestamp = {0, 1, 1, 7};
  EXPECT_EQ(
      database->Apply(1, "0123456789", RowColumns(no_timestamp.data(), 1), &timestamp, 1).status().code(),
      "invalid");
  EXPECT_EQ(PutOne(*database, 3, "a", "b").code(), "invalid");
}

TEST(TaskDatabase, Properties) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  for (int i = 0; i < 10; i++)
    ASSERT_OK(PutOne(*database, static_cast<size_t>(i % 3), std::to_string(i), TimestampBytes(0)));
  EXPECT_EQ(database->Property("weir.overlay-entries").value(), 10u);
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  // Two offsets beside the ten rows.
  EXPECT_EQ(database->Property("rocksdb.estimate-num-keys").value(), 12u);
  EXPECT_EQ(database->Property("rocksdb.nonsense").status().code(), "invalid");
}

}  // namespace
}  // namespace weir
