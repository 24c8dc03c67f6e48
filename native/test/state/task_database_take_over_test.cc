#include <gtest/gtest.h>

#include "state/task_database.h"
#include "test/state/state_support.h"

namespace weir {
namespace {

TEST(TakeOver, WhatWasNotAppliedIsSaidAgain) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  const std::string row = TimestampBytes(5) + "ours";
  ASSERT_OK(PutOne(*database, 1, "row", row, 5));
  ASSERT_OK(CommitAll(*database, sink));
  database->FinishCommit();
  sink->log(1).push_back({"row", "theirs", 9});
  sink->log(1).push_back({"none", "theirs", 9});
  ASSERT_OK(database->TakeOver(1, 3, {{"row", std::nullopt, 9}, {"none", std::nullopt, 9}}));
  EXPECT_EQ(GetOne(*database, 1, "row"), row);
  EXPECT_EQ(GetOne(*database, 1, "none"), std::nullopt);
  EXPECT_EQ(database->ChangelogEnds(), (std::vector<int64_t>{-1, 1, -1}));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_EQ(sink->log(1).size(), 5u);
  EXPECT_EQ(sink->log(1)[3].key, "none");
  EXPECT_EQ(sink->log(1)[3].value, std::nullopt);
  EXPECT_EQ(sink->log(1)[4].key, "row");
  EXPECT_EQ(sink->log(1)[4].value, "ours");
  EXPECT_EQ(sink->log(1)[4].timestamp_ms, 5);
  EXPECT_EQ(database->ChangelogEnds(), (std::vector<int64_t>{-1, 5, -1}));
  database->BeginClose();
  ASSERT_OK(database->Close());
  database.reset();
  EXPECT_EQ(memory->Usage().overlay_bytes, 0u);
}

TEST(TakeOver, AWriterBesidesIsNoticedBeforeAnythingIsWritten) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  ASSERT_OK(database->TakeOver(0, 0, {}));
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, sink));
  sink->log(0).push_back({"a", "0", 1});
  // Of another store: nothing is wrong.
  ASSERT_OK(PutOne(*database, 1, "b", TimestampBytes(1) + "1", 1));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_OK(PutOne(*database, 0, "c", "1"));
  EXPECT_EQ(CommitAll(*database, sink).code(), "changelog-shared");
  ASSERT_OK(database->Discard());
  EXPECT_EQ(GetOne(*database, 0, "a"), "1");
  EXPECT_EQ(GetOne(*database, 0, "c"), std::nullopt);
  EXPECT_EQ(database->Offsets()[0].offset, 1);
}

}  // namespace
}  // namespace weir
