#include "kafka_support.h"

namespace weir::test {
namespace {

constexpr int16_t kOffsetCommitRequest = 8;
constexpr int16_t kHeartbeatRequest = 12;
constexpr auto kLongEnough = std::chrono::milliseconds(1000);

using Type = ConsumerEvent::Type;

class GroupTest : public KafkaTest {
 protected:
  // The mock brokers wait for lost members for the session's time-out, and for slow ones for a second less.
  KafkaConfig GroupConfig(const std::string& assignor = "range") {
    KafkaConfig config = ConsumerConfig(assignor);
    config["session.timeout.ms"] = "3000";
    return config;
  }

  void SetUp() override {
    KafkaTest::SetUp();
    ASSERT_TRUE(cluster_->CreateTopic("in", 4).ok());
  }
};

TEST_F(GroupTest, AssignsCommitsAndLeaves) {
  ConsumerUnderTest consumer(GroupConfig());
  const int64_t id = consumer->id();
  EXPECT_EQ(Consumer::Find(id), consumer.get());
  EXPECT_EQ(consumer->GroupMetadata().value().generation, -1);
  ASSERT_TRUE(consumer->Subscribe({"in"}).ok());
  const auto assign = consumer.Next(Type::kAssign);
  ASSERT_TRUE(assign.has_value());
  ASSERT_EQ(assign->partitions.size(), 4u);
  const auto none = consumer->Committed(assign->partitions, 10'000, Cancellation());
  ASSERT_TRUE(none.ok()) << none.status().message();
  for (const TopicPartitionOffset& each : none.value()) EXPECT_EQ(each.offset, -1);
  ASSERT_TRUE(consumer->Assign(At(assign->partitions, 0)).ok());
  const auto membership = consumer->GroupMetadata().value();
  EXPECT_GE(membership.generation, 0);
  EXPECT_FALSE(membership.member_id.empty());

  EXPECT_TRUE(consumer->Commit({}, Cancellation()).ok());
  const Status committed = consumer->Commit({{"in", 0, 17, "metadata"}, {"in", 3, 4, ""}}, Cancellation());
  ASSERT_TRUE(committed.ok()) << committed.message();
  const auto offsets = consumer->Committed({{"in", 0}, {"in", 1}, {"in", 3}}, 10'000, Cancellation());
  ASSERT_TRUE(offsets.ok());
  EXPECT_EQ(offsets.value()[0].offset, 17);
  EXPECT_EQ(offsets.value()[0].metadata, "metadata");
  EXPECT_EQ(offsets.value()[1].offset, -1);
  EXPECT_EQ(offsets.value()[2].offset, 4);
  EXPECT_EQ(offsets.value()[2].metadata, "");
  const auto watermarks = consumer->QueryWatermarks("in", 0, 10'000, false, Cancellation());
  ASSERT_TRUE(watermarks.ok());
  EXPECT_EQ(watermarks.value(), std::make_pair(int64_t{0}, int64_t{0}));

  consumer.Close();
  EXPECT_EQ(consumer->Commit({{"in", 0, 18, ""}}, Cancellation()).code(), "closed");
}

TEST_F(GroupTest, IsForgottenWithItsLastHolder) {
  int64_t id;
  {
    ConsumerUnderTest consumer(GroupConfig());
    id = consumer->id();
  }
  EXPECT_EQ(Consumer::Find(id), nullptr);
}

TEST_F(GroupTest, NamesThePartitionWhoseCommitIsRefused) {
  ConsumerUnderTest consumer(GroupConfig());
  ASSERT_TRUE(consumer->Subscribe({"in"}).ok());
  const auto assign = consumer.Next(Type::kAssign);
  ASSERT_TRUE(assign.has_value());
  ASSERT_TRUE(consumer->Assign(At(assign->partitions, 0)).ok());
  ASSERT_TRUE(cluster_->InjectErrors(kOffsetCommitRequest, {"TOPIC_AUTHORIZATION_FAILED"}).ok());
  const Status status = consumer->Commit({{"in", 2, 5, ""}}, Cancellation());
  EXPECT_EQ(status.code(), "kafka:TOPIC_AUTHORIZATION_FAILED") << (status.ok() ? "" : status.message());
  const Cancellation cancelled;
  cancelled.Cancel();
  EXPECT_EQ(consumer->Commit({{"in", 2, 5, ""}}, cancelled).code(), "closed");
}

class RebalanceTest : public GroupTest, public testing::WithParamInterface<std::string> {};

// Two members: the second joins, reads its part, leaves; the first reads on. Every record is read, in order in each partition, and
// again only what had not been committed.
TEST_P(RebalanceTest, ASecondMemberJoinsAndLeaves) {
  constexpr size_t kRecords = 500;
  const auto producer = NewProducer();
  const int topic = producer->Topic("in", 4).value();
  for (int32_t p = 0; p < 4; p++) ProduceAll(*producer, topic, p, NumberedRecords(kRecords));

  // Positions are kept by the test, as the runtime keeps them.
  std::map<TopicPartition, int64_t> position;
  struct Member {
    explicit Member(const KafkaConfig& config)
        : consumer(config), reader(std::move(ConsumerReader::Create(consumer.get()).value())) {}
    ConsumerUnderTest consumer;
    std::unique_ptr<ConsumerReader> reader;
    std::map<TopicPartition, int32_t> slots;
  };
  const auto read = [&](Member& member, int polls) {
    InBatch batch(3, 1000);
    for (int n = 0; n < polls; n++) {
      for (const auto& [name, slot] : member.slots) {
        const Result<int32_t> count = member.reader->Slot(slot)->Poll(batch.View());
        ASSERT_TRUE(count.ok()) << count.status().message();
        for (int32_t i = 0; i < count.value(); i++) {
          ASSERT_EQ(batch.At(static_cast<size_t>(i)).offset, position[name])
              << Describe(name.topic, name.partition);
          position[name]++;
        }
      }
    }
  };
  const auto answer = [&](Member& member, const ConsumerEvent& event) {
    if (event.type == Type::kAssign) {
      std::vector<TopicPartitionOffset> offsets;
      for (const TopicPartition& each : event.partitions)
        offsets.push_back({each.topic, each.partition, position[each], ""});
      const Status status = member.consumer->Assign(offsets);
      ASSERT_TRUE(status.ok()) << status.message();
      for (const TopicPartition& each : event.partitions) {
        member.slots[each] = member.reader->Open(each.topic, each.partition, position[each]).value();
      }
    } else {
      EXPECT_FALSE(event.lost);
      for (const TopicPartition& each : event.partitions) {
        member.reader->Close(member.slots.at(each));
        member.slots.erase(each);
      }
      const Status status = member.consumer->Unassign(event.partitions);
      ASSERT_TRUE(status.ok()) << status.message();
    }
  };
  const auto settle = [&](std::vector<Member*> members, const std::function<bool()>& settled) {
    return Eventually([&] {
      for (Member* member : members) {
        const auto event = member->consumer.NextRebalance(std::chrono::milliseconds(1));
        if (event.has_value()) answer(*member, *event);
        read(*member, 1);
      }
      return settled();
    });
  };

  const std::string assignor = GetParam();
  Member first(GroupConfig(assignor));
  ASSERT_TRUE(first.consumer->Subscribe({"in"}).ok());
  ASSERT_TRUE(settle({&first}, [&] { return first.slots.size() == 4; }));
  read(first, 10);
  auto second = std::make_unique<Member>(GroupConfig(assignor));
  ASSERT_TRUE(second->consumer->Subscribe({"in"}).ok());
  ASSERT_TRUE(
      settle({&first, second.get()}, [&] { return first.slots.size() == 2 && second->slots.size() == 2; }));
  for (int n = 0; n < 20; n++) {
    read(first, 1);
    read(*second, 1);
  }
  // The second leaves in good order: its partitions are given back by its close.
  for (const auto& [name, slot] : second->slots) second->reader->Close(slot);
  second->slots.clear();
  second->consumer.Close();
  ASSERT_TRUE(settle({&first}, [&] { return first.slots.size() == 4; }));
  ASSERT_TRUE(settle({&first}, [&] {
    for (int32_t p = 0; p < 4; p++) {
      if (position[{"in", p}] < static_cast<int64_t>(kRecords)) return false;
    }
    return true;
  }));
  first.consumer.Close();
}

TEST_P(RebalanceTest, TheGroupWaitsForARevocationsAnswer) {
  ConsumerUnderTest first(GroupConfig(GetParam()));
  ASSERT_TRUE(first->Subscribe({"in"}).ok());
  const auto assigned = first.Next(Type::kAssign);
  ASSERT_TRUE(assigned.has_value());
  ASSERT_TRUE(first->Assign(At(assigned->partitions, 0)).ok());
  ConsumerUnderTest second(GroupConfig(GetParam()));
  ASSERT_TRUE(second->Subscribe({"in"}).ok());
  auto revoked = first.Next(Type::kRevoke);
  ASSERT_TRUE(revoked.has_value());
  // A cooperative member may be told of an empty assignment meanwhile.
  const auto early = second.Next(Type::kAssign, kLongEnough);
  EXPECT_TRUE(!early.has_value() || early->partitions.empty());
  if (early.has_value()) {
    ASSERT_TRUE(second->Assign({}).ok());
  }
  ASSERT_TRUE(first->Unassign(revoked->partitions).ok());
  size_t granted = 0;
  ASSERT_TRUE(Eventually([&] {
    for (ConsumerUnderTest* member : {&first, &second}) {
      const auto event = member->NextRebalance(std::chrono::milliseconds(1));
      if (!event.has_value()) continue;
      if (event->type == Type::kRevoke) {
        EXPECT_TRUE((*member)->Unassign(event->partitions).ok());
      } else {
        EXPECT_TRUE((*member)->Assign(At(event->partitions, 0)).ok());
        if (member == &second) granted += event->partitions.size();
      }
    }
    return granted == 2;
  }));
}

INSTANTIATE_TEST_SUITE_P(Protocols, RebalanceTest, testing::Values("range", "cooperative-sticky"),
                         [](const auto& info) { return info.param == "range" ? "Eager" : "Cooperative"; });

TEST_F(GroupTest, SaysWhenPartitionsAreLost) {
  ConsumerUnderTest consumer(GroupConfig());
  ASSERT_TRUE(consumer->Subscribe({"in"}).ok());
  auto assign = consumer.Next(Type::kAssign);
  ASSERT_TRUE(assign.has_value());
  ASSERT_TRUE(consumer->Assign(At(assign->partitions, 0)).ok());
  ASSERT_TRUE(cluster_->InjectErrors(kHeartbeatRequest, {"UNKNOWN_MEMBER_ID"}).ok());
  const auto revoke = consumer.Next(Type::kRevoke);
  ASSERT_TRUE(revoke.has_value());
  EXPECT_TRUE(revoke->lost);
  EXPECT_EQ(revoke->partitions.size(), 4u);
  ASSERT_TRUE(consumer->Unassign(revoke->partitions).ok());
  assign = consumer.Next(Type::kAssign);
  ASSERT_TRUE(assign.has_value());
  EXPECT_EQ(assign->partitions.size(), 4u);
  ASSERT_TRUE(consumer->Assign(At(assign->partitions, 0)).ok());
}

TEST_F(GroupTest, SaysThatAStoppedPartitionNeedsANewAssignment) {
  ConsumerUnderTest consumer(GroupConfig());
  ASSERT_TRUE(consumer->Subscribe({"in"}).ok());
  const auto assign = consumer.Next(Type::kAssign);
  ASSERT_TRUE(assign.has_value());
  ASSERT_TRUE(consumer->Assign(At(assign->partitions, 100)).ok());
  auto reader = std::move(ConsumerReader::Create(consumer.get()).value());
  PartitionSlot* slot = reader->Slot(reader->Open("in", 0, 100).value());
  InBatch batch(10, 1000);
  Status error;
  const auto failed = [&] {
    const Result<int32_t> count = slot->Poll(batch.View());
    if (!count.ok()) error = count.status();
    return !count.ok();
  };
  ASSERT_TRUE(Eventually(failed));
  EXPECT_EQ(error.code(), "kafka:_AUTO_OFFSET_RESET");
  slot->Seek(0);
  ASSERT_TRUE(Eventually(failed));
  EXPECT_EQ(error.code(), "kafka:_STATE");
}

TEST_F(GroupTest, TheEagerProtocolGivesUpEverythingAtOnce) {
  ConsumerUnderTest consumer(GroupConfig());
  ASSERT_TRUE(consumer->Subscribe({"in"}).ok());
  const auto assign = consumer.Next(Type::kAssign);
  ASSERT_TRUE(assign.has_value());
  ASSERT_TRUE(consumer->Assign(At(assign->partitions, 0)).ok());
  EXPECT_EQ(consumer->Unassign({{"in", 0}}).code(), "invalid");
  EXPECT_EQ(consumer->Assign({{"other", 0, 0, ""}}).code(), "invalid");
}

TEST_F(GroupTest, IsAbandonedWhileAnAssignmentIsUnanswered) {
  ConsumerUnderTest consumer(GroupConfig());
  ASSERT_TRUE(consumer->Subscribe({"in"}).ok());
  const auto assign = consumer.Next(Type::kAssign);
  ASSERT_TRUE(assign.has_value());
  consumer->Abandon();
  EXPECT_EQ(consumer->Assign(At(assign->partitions, 0)).code(), "closed");
}

TEST_F(GroupTest, UnassignsWhatIsUnassignedAlready) {
  for (const char* assignor : {"range", "cooperative-sticky"}) {
    ConsumerUnderTest consumer(GroupConfig(assignor));
    ASSERT_TRUE(consumer->Subscribe({"in"}).ok());
    const auto assign = consumer.Next(Type::kAssign);
    ASSERT_TRUE(assign.has_value());
    ASSERT_TRUE(consumer->Assign(At(assign->partitions, 0)).ok());
    for (int time = 0; time < 3; time++) {
      const Status status = consumer->Unassign(assign->partitions);
      EXPECT_TRUE(status.ok()) << assignor << ": " << status.code();
    }
    ASSERT_TRUE(consumer->Assign(At(assign->partitions, 0)).ok());
  }
}

TEST_F(GroupTest, TakesAnswersUntilItIsClosed) {
  for (const char* assignor : {"range", "cooperative-sticky"}) {
    ConsumerUnderTest consumer(GroupConfig(assignor));
    ASSERT_TRUE(consumer->Subscribe({"in"}).ok());
    const auto assign = consumer.Next(Type::kAssign);
    ASSERT_TRUE(assign.has_value());
    ASSERT_TRUE(consumer->Assign(At(assign->partitions, 0)).ok());
    std::atomic<bool> closed{false};
    std::thread closing([&] {
      EXPECT_TRUE(consumer->Close(Cancellation()).ok());
      closed = true;
    });
    // Also between the end of the group and that of the client.
    while (!closed) {
      const Status status = consumer->Unassign(assign->partitions);
      EXPECT_TRUE(status.ok() || status.code() == "closed" || status.code() == "kafka:_STATE")
          << status.code();
      (void)consumer->GroupMetadata();
    }
    closing.join();
    EXPECT_EQ(consumer->Assign({}).code(), "closed");
    EXPECT_EQ(consumer->Subscribe({"in"}).code(), "closed");
  }
}

TEST_F(GroupTest, IsAbandonedAtAnyMoment) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 30; round++) {
    KafkaConfig config = GroupConfig(random() % 2 == 0 ? "range" : "cooperative-sticky");
    config["group.id"] = "group-" + std::to_string(round);
    ConsumerUnderTest consumer(config);
    ASSERT_TRUE(consumer->Subscribe({"in"}).ok());
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 80'000));
    const auto event = consumer.NextRebalance(std::chrono::milliseconds(0));
    if (event.has_value() && random() % 2 == 0) {
      ASSERT_TRUE(consumer->Assign(At(event->partitions, 0)).ok());
    }
  }
}

TEST_F(GroupTest, IsAbandonedWhileARevocationIsUnanswered) {
  ConsumerUnderTest consumer(GroupConfig());
  ASSERT_TRUE(consumer->Subscribe({"in"}).ok());
  const auto assign = consumer.Next(Type::kAssign);
  ASSERT_TRUE(assign.has_value());
  ASSERT_TRUE(consumer->Assign(At(assign->partitions, 0)).ok());
  const Cancellation cancellation;
  std::thread closing([&] { EXPECT_TRUE(consumer->Close(cancellation).ok()); });
  ASSERT_TRUE(consumer.Next(Type::kRevoke).has_value());
  cancellation.Cancel();
  closing.join();
  EXPECT_EQ(consumer->Unassign(assign->partitions).code(), "closed");
}

}  // namespace
}  // namespace weir::test
