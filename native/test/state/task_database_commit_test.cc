#include <gtest/gtest.h>

#include "state/task_database.h"
#include "test/state/state_support.h"

namespace weir {
namespace {

TEST(TaskDatabase, TheChangelogGetsEachKeyOncePerCommitInOrder) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "b", "1", 10));
  ASSERT_OK(PutOne(*database, 0, "a", "2", 11));
  ASSERT_OK(PutOne(*database, 0, "b", "3", 12));
  ASSERT_OK(PutOne(*database, 0, "c", std::nullopt, 13));
  ASSERT_OK(PutOne(*database, 1, "k", TimestampBytes(77) + "value", 77));
  ASSERT_OK(PutOne(*database, 2, "unlogged", "x"));
  const Result<DrainTotals> drained = DrainOnly(*database, sink);
  ASSERT_TRUE(drained.ok()) << drained.status().message();
  EXPECT_EQ(drained.value().records, 4);
  EXPECT_EQ(drained.value().bytes, 2 + 2 + 1 + 6);
  ASSERT_EQ(sink->log(0).size(), 3u);
  EXPECT_EQ(sink->log(0)[0].key, "a");
  EXPECT_EQ(sink->log(0)[1].value, "3");
  EXPECT_EQ(sink->log(0)[1].timestamp_ms, 12);
  EXPECT_EQ(sink->log(0)[2].value, std::nullopt);
  ASSERT_EQ(sink->log(1).size(), 1u);
  EXPECT_EQ(sink->log(1)[0].value, "value");
  EXPECT_EQ(sink->log(1)[0].timestamp_ms, 77);
  // Between drain and commit, reads see the changes and writes are refused.
  EXPECT_EQ(GetOne(*database, 0, "b"), "3");
  EXPECT_EQ(PutOne(*database, 0, "d", "4").code(), "invalid");
  ASSERT_OK(database->BeginCommit());
  ASSERT_OK(database->Commit());
  EXPECT_EQ(GetOne(*database, 0, "b"), "3");
  EXPECT_EQ(database->Offsets()[0].offset, 3);
  EXPECT_EQ(database->Offsets()[1].offset, 1);
  EXPECT_EQ(database->Offsets()[2].offset, -1);
  EXPECT_EQ(AcquireMemory()->Usage().overlay_bytes, 0u);
}

TEST(TaskDatabase, HeadersGoWithTheValuesOfOneStore) {
  TemporaryFolder folder;
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  options.stores[0].changelog_headers = "headers";
  const auto database = OpenDatabase(AcquireMemory(), options);
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "a", "1", 10));
  ASSERT_OK(PutOne(*database, 0, "b", std::nullopt, 11));
  ASSERT_OK(PutOne(*database, 1, "k", TimestampBytes(77) + "value", 77));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_EQ(sink->log(0).size(), 2u);
  EXPECT_EQ(sink->log(0)[0].headers, "headers");
  EXPECT_EQ(sink->log(0)[1].headers, "");
  EXPECT_EQ(sink->log(1)[0].headers, "");
}

TEST(TaskDatabase, ACommitNeedsADrain) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  EXPECT_EQ(database->BeginCommit().code(), "invalid");
}

TEST(TaskDatabase, ADeliveryErrorStopsTheDrainAndNothingIsWritten) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  for (int i = 0; i < 100; i++) ASSERT_OK(PutOne(*database, 0, std::to_string(i), "x"));
  sink->FailAfter(10);
  EXPECT_EQ(DrainOnly(*database, sink).status().code(), "kafka:_TIMED_OUT");
  EXPECT_EQ(database->BeginCommit().code(), "invalid");
  sink->FailAfter(-1);
  sink->SetError(Status("kafka:MSG_SIZE_TOO_LARGE", "too large"));
  EXPECT_EQ(DrainOnly(*database, sink).status().code(), "kafka:MSG_SIZE_TOO_LARGE");
  EXPECT_EQ(GetOne(*database, 0, "1"), "x");
  database.reset();
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_TRUE(ScanAll(database, 0).empty());
  EXPECT_EQ(database->Offsets()[0].offset, -1);
}

TEST(TaskDatabase, TopicIdsAreWrittenWithTheOffsets) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  ASSERT_OK(database->SetTopicId("plain", "topic-uuid"));
  EXPECT_EQ(database->SetTopicId("nobody", "x").code(), "invalid");
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  database.reset();
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_EQ(database->Offsets()[0].topic_id, "topic-uuid");
  EXPECT_EQ(database->Offsets()[0].offset, 1);
  EXPECT_GT(database->Offsets()[0].written_at_ms, 1'500'000'000'000);
  EXPECT_EQ(database->Offsets()[1].topic_id, "");
}

}  // namespace
}  // namespace weir
