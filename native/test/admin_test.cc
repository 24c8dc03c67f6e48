#include "admin/admin.h"

#include "kafka_support.h"

namespace weir::test {
namespace {

constexpr int16_t kOffsetFetchRequest = 9;

// What the mock brokers can answer; topic administration is tested against real ones (test/broker).
class AdminTest : public KafkaTest {
 protected:
  void SetUp() override {
    KafkaTest::SetUp();
    ASSERT_TRUE(cluster_->CreateTopic("orders", 3).ok());
    auto created = Admin::Create({{"bootstrap.servers", cluster_->BootstrapServers()}}, Cancellation());
    ASSERT_TRUE(created.ok());
    admin_ = created.value();
  }

  std::shared_ptr<Admin> admin_;
};

TEST_F(AdminTest, ListsTopics) {
  ASSERT_TRUE(cluster_->CreateTopic("users", 1).ok());
  const auto topics = admin_->ListTopics(10'000);
  ASSERT_TRUE(topics.ok()) << topics.status().message();
  std::map<std::string, int32_t> partitions;
  for (const TopicPartitions& topic : topics.value()) partitions[topic.name] = topic.partitions;
  EXPECT_EQ(partitions, (std::map<std::string, int32_t>{{"orders", 3}, {"users", 1}}));
}

// librdkafka (2.15.1) takes a request that timed out before the coordinator was known for one under way when the coordinator comes.
TEST_F(AdminTest, AQuestionThatNoCoordinatorAnswersInTimeIsHarmlessWhenOneComes) {
  constexpr int16_t kFindCoordinator = 10;
  ASSERT_TRUE(
      cluster_->InjectErrors(kFindCoordinator, std::vector<std::string>(1000, "COORDINATOR_NOT_AVAILABLE"))
          .ok());
  EXPECT_FALSE(admin_->GroupOffsets("group", 100).ok());
  ASSERT_TRUE(cluster_->InjectErrors(kFindCoordinator, {}).ok());
  ASSERT_TRUE(Eventually([&] { return admin_->GroupOffsets("group", 100).ok(); }));
}

TEST_F(AdminTest, ListsOffsets) {
  const auto producer = NewProducer();
  ProduceAll(*producer, producer->Topic("orders", 3).value(), 1, NumberedRecords(12));
  const auto end = admin_->ListOffsets({{"orders", 0}, {"orders", 1}}, OffsetAt::kLatest,
                                       RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED, 10'000);
  ASSERT_TRUE(end.ok()) << end.status().message();
  std::map<int32_t, int64_t> offsets;
  for (const TopicPartitionOffset& each : end.value()) offsets[each.partition] = each.offset;
  EXPECT_EQ(offsets, (std::map<int32_t, int64_t>{{0, 0}, {1, 12}}));
}

TEST_F(AdminTest, AsksAgainWhenAGroupsCoordinatorMoves) {
  ASSERT_TRUE(
      cluster_->InjectErrors(kOffsetFetchRequest, {"NOT_COORDINATOR", "COORDINATOR_LOAD_IN_PROGRESS"}).ok());
  const auto offsets = admin_->GroupOffsets("nobody", 10'000);
  ASSERT_TRUE(offsets.ok()) << offsets.status().message();
  EXPECT_TRUE(offsets.value().empty());
}

// librdkafka (2.15.1, unpatched) goes on asking the broker that it found last while its connection lives.
TEST_F(AdminTest, FindsAGroupsCoordinatorThatMovedWhileItsConnectionLives) {
  ASSERT_TRUE(cluster_->MoveGroup("nobody", 1).ok());
  ASSERT_TRUE(admin_->GroupOffsets("nobody", 10'000).ok());
  ASSERT_TRUE(cluster_->MoveGroup("nobody", 2).ok());
  ASSERT_TRUE(cluster_->InjectErrorsAt(1, kOffsetFetchRequest, "NOT_COORDINATOR", 1000).ok());
  const auto offsets = admin_->GroupOffsets("nobody", 10'000);
  EXPECT_TRUE(offsets.ok()) << offsets.status().message();
}

TEST_F(AdminTest, GivesUpAtTheTimeout) {
  const auto admin =
      Admin::Create({{"bootstrap.servers", "127.0.0.1:1"}, {"log_level", "0"}}, Cancellation()).value();
  const auto listed = admin->ListTopics(50);
  ASSERT_FALSE(listed.ok());
  EXPECT_TRUE(listed.status().retriable());
  const auto described = admin->DescribeTopics({"orders"}, 50);
  // _TIMED_OUT, or _TRANSPORT when the connection was refused first.
  ASSERT_FALSE(described.ok());
  EXPECT_TRUE(described.status().retriable()) << described.status().message();
}

TEST_F(AdminTest, EndsWhenClosed) {
  const auto admin =
      Admin::Create({{"bootstrap.servers", "127.0.0.1:1"}, {"log_level", "0"}}, Cancellation()).value();
  std::thread asking([&] { EXPECT_EQ(admin->DescribeTopics({"orders"}, 60'000).status().code(), "closed"); });
  std::thread listing([&] { EXPECT_EQ(admin->ListTopics(60'000).status().code(), "closed"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  admin->Close();
  asking.join();
  listing.join();
  EXPECT_EQ(admin->GroupOffsets("group", 1000).status().code(), "closed");
}

}  // namespace
}  // namespace weir::test
