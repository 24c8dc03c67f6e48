#include "kafka_support.h"

namespace weir::test {
namespace {

// Kafka's numbers of the requests that make a transaction.
constexpr int16_t kProduce = 0;
constexpr int16_t kFindCoordinator = 10;
constexpr int16_t kInitProducerId = 22;
constexpr int16_t kAddPartitionsToTxn = 24;
constexpr int16_t kAddOffsetsToTxn = 25;
constexpr int16_t kEndTxn = 26;
constexpr int16_t kTxnOffsetCommit = 28;

constexpr int64_t kStepMs = 30'000;

// Transactions of one producer on the mock cluster, whose brokers answer each step with an error. The mock has no isolation: what is seen here
// is what each call says of itself, and that the producer goes on as the answer asks for.
class TransactionsTest : public KafkaTest {
 protected:
  void SetUp() override {
    KafkaTest::SetUp();
    ASSERT_TRUE(cluster_->CreateTopic("in", 1).ok());
    ASSERT_TRUE(cluster_->CreateTopic("out", 2).ok());
  }

  std::shared_ptr<Producer> NewTransactional(const KafkaConfig& more = {}) {
    KafkaConfig config{{"transactional.id", "id"},
                       {"transaction.timeout.ms", "20000"},
                       {"retry.backoff.ms", "10"},
                       {"reconnect.backoff.max.ms", "2000"},
                       {"log_level", "0"}};
    for (const auto& [name, value] : more) config[name] = value;
    return NewProducer(config);
  }

  Status Produce(Producer& producer, size_t records) {
    const Result<int> topic = producer.Topic("out", 2);
    if (!topic.ok()) return topic.status();
    OutBatch batch(records);
    for (const Record& record : NumberedRecords(records)) batch.Add(topic.value(), 0, record);
    const Result<size_t> taken = producer.Produce(batch.View(), 0, records);
    if (!taken.ok()) return taken.status();
    return producer.Flush(kStepMs);
  }

  // One transaction after `initTransactions`, up to the step that fails.
  Status RunTransaction(Producer& producer, int64_t offset = 1) {
    Status status = producer.BeginTransaction();
    if (status.ok()) status = Produce(producer, 10);
    if (status.ok()) status = producer.SendOffsets({{"in", 0, offset, ""}}, Member(), kStepMs);
    if (status.ok()) status = producer.CommitTransaction(kStepMs);
    return status;
  }

  static GroupMember Member() { return {"group", "member", 1, ""}; }
};

TEST_F(TransactionsTest, CommitsRecordsAndOffsetsAndGoesOn) {
  const auto producer = NewTransactional();
  ASSERT_TRUE(producer->InitTransactions(kStepMs).ok());
  for (int64_t offset = 1; offset <= 3; offset++) {
    const Status committed = RunTransaction(*producer, offset);
    ASSERT_TRUE(committed.ok()) << committed.message();
  }
  EXPECT_TRUE(producer->FirstError().ok());
}

TEST_F(TransactionsTest, WhatPassesIsTriedAgainAtEachStep) {
  const std::vector<std::pair<int16_t, std::vector<std::string>>> steps{
      {kInitProducerId, {"COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE"}},
      {kAddPartitionsToTxn, {"CONCURRENT_TRANSACTIONS", "COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR"}},
      {kProduce, {"NOT_LEADER_FOR_PARTITION", "REQUEST_TIMED_OUT", "_TRANSPORT"}},
      {kAddOffsetsToTxn, {"CONCURRENT_TRANSACTIONS", "COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR"}},
      {kTxnOffsetCommit, {"COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR", "_TRANSPORT"}},
      {kEndTxn, {"CONCURRENT_TRANSACTIONS", "COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR", "_TRANSPORT"}},
  };
  int64_t offset = 0;
  for (const auto& [request, errors] : steps) {
    for (const std::string& error : errors) {
      SCOPED_TRACE("request " + std::to_string(request) + ": " + error);
      ASSERT_TRUE(cluster_->InjectErrors(request, {error, error}).ok());
      const auto producer = NewTransactional();
      Status started;
      ASSERT_TRUE(Eventually([&] {
        started = producer->InitTransactions(kStepMs);
        return started.ok() || !started.retriable();
      }));
      ASSERT_TRUE(started.ok()) << started.message();
      const Status committed = RunTransaction(*producer, ++offset);
      ASSERT_TRUE(committed.ok()) << committed.message();
      const int topic = producer->Topic("out", 2).value();
      EXPECT_GE(producer->DeliveredOffset(topic, 0), 10 * offset);
    }
  }
}

TEST_F(TransactionsTest, AFencedProducerIsFatalAtEachStepAndAnotherOneGoesOn) {
  const std::vector<std::pair<int16_t, std::string>> steps{
      {kAddPartitionsToTxn, "PRODUCER_FENCED"},     {kAddPartitionsToTxn, "INVALID_PRODUCER_EPOCH"},
      {kProduce, "INVALID_PRODUCER_EPOCH"},         {kAddOffsetsToTxn, "INVALID_PRODUCER_EPOCH"},
      {kTxnOffsetCommit, "INVALID_PRODUCER_EPOCH"}, {kEndTxn, "PRODUCER_FENCED"},
      {kEndTxn, "INVALID_PRODUCER_EPOCH"},
  };
  const auto producer = NewTransactional();
  ASSERT_TRUE(producer->InitTransactions(kStepMs).ok());
  int64_t offset = 0;
  for (const auto& [request, error] : steps) {
    SCOPED_TRACE("request " + std::to_string(request) + ": " + error);
    ASSERT_TRUE(cluster_->InjectErrors(request, {error}).ok());
    const Status fenced = RunTransaction(*producer, 1000);
    EXPECT_EQ(fenced.code(), "kafka:_FENCED") << fenced.message();
    EXPECT_TRUE(fenced.fatal());
    EXPECT_FALSE(fenced.retriable());
    // Not by an abort.
    const Status aborted = producer->AbortTransaction(kStepMs);
    EXPECT_EQ(aborted.code(), "kafka:_FENCED") << aborted.message();
    EXPECT_TRUE(aborted.fatal());

    const int topic = producer->Topic("out", 2).value();
    const Status restarted = producer->Restart();
    ASSERT_TRUE(restarted.ok()) << restarted.message();
    EXPECT_EQ(producer->Topic("out", 2).value(), topic);
    EXPECT_EQ(producer->DeliveredOffset(topic, 0), -1) << "of the client before";
    EXPECT_TRUE(producer->FirstError().ok());
    EXPECT_EQ(producer->GetStats().queued_records, 0);
    ASSERT_TRUE(producer->InitTransactions(kStepMs).ok());
    const Status committed = RunTransaction(*producer, ++offset);
    ASSERT_TRUE(committed.ok()) << committed.message();
  }
}

TEST_F(TransactionsTest, WhatIsRefusedForGoodAsksForAnAbortAndTheNextTransactionCommits) {
  const std::vector<std::pair<int16_t, std::string>> steps{
      {kProduce, "MSG_SIZE_TOO_LARGE"},
      {kProduce, "INVALID_RECORD"},
      {kAddPartitionsToTxn, "TOPIC_AUTHORIZATION_FAILED"},
      {kAddOffsetsToTxn, "GROUP_AUTHORIZATION_FAILED"},
      {kTxnOffsetCommit, "ILLEGAL_GENERATION"},
      {kTxnOffsetCommit, "UNKNOWN_MEMBER_ID"},
      {kTxnOffsetCommit, "FENCED_INSTANCE_ID"},
  };
  const auto producer = NewTransactional();
  ASSERT_TRUE(producer->InitTransactions(kStepMs).ok());
  int64_t offset = 0;
  for (const auto& [request, error] : steps) {
    SCOPED_TRACE("request " + std::to_string(request) + ": " + error);
    ASSERT_TRUE(cluster_->InjectErrors(request, {error}).ok());
    const Status refused = RunTransaction(*producer, 1000);
    EXPECT_EQ(refused.code(), "kafka:" + error) << refused.message();
    EXPECT_FALSE(refused.fatal());
    EXPECT_FALSE(refused.retriable());
    const Status aborted = producer->AbortTransaction(kStepMs);
    ASSERT_TRUE(aborted.ok()) << aborted.message();
    EXPECT_TRUE(producer->FirstError().ok()) << "it went with the transaction";
    Status committed = RunTransaction(*producer, ++offset);
    if (request == kProduce && !committed.ok()) {
      // librdkafka has left the sequence numbers of the refused records out, and needs a second abort to begin a new epoch.
      EXPECT_FALSE(committed.fatal()) << committed.message();
      ASSERT_TRUE(producer->AbortTransaction(kStepMs).ok());
      committed = RunTransaction(*producer, offset);
    }
    ASSERT_TRUE(committed.ok()) << committed.message();
  }
}

// After a time-out the coordinator has aborted by itself, and librdkafka cannot tell that from being fenced.
TEST_F(TransactionsTest, AnAbortOfWhatIsNoLongerOpenAsksForAnotherProducer) {
  const auto producer = NewTransactional();
  ASSERT_TRUE(producer->InitTransactions(kStepMs).ok());
  ASSERT_TRUE(producer->BeginTransaction().ok());
  ASSERT_TRUE(Produce(*producer, 10).ok());
  ASSERT_TRUE(cluster_->InjectErrors(kEndTxn, {"INVALID_TXN_STATE"}).ok());
  const Status aborted = producer->AbortTransaction(kStepMs);
  EXPECT_EQ(aborted.code(), "kafka:INVALID_TXN_STATE");
  EXPECT_TRUE(aborted.fatal());
  ASSERT_TRUE(producer->Restart().ok());
  ASSERT_TRUE(producer->InitTransactions(kStepMs).ok());
  EXPECT_TRUE(RunTransaction(*producer).ok());
}

TEST_F(TransactionsTest, ACommitWhoseOutcomeIsUnknownIsAskedForUntilItIsKnown) {
  const auto producer = NewTransactional();
  ASSERT_TRUE(producer->InitTransactions(kStepMs).ok());
  ASSERT_TRUE(producer->BeginTransaction().ok());
  ASSERT_TRUE(Produce(*producer, 10).ok());
  ASSERT_TRUE(producer->SendOffsets({{"in", 0, 7, ""}}, Member(), kStepMs).ok());
  // Each closes the connection, in the place of an answer; together they take longer than one call waits.
  ASSERT_TRUE(cluster_->InjectErrors(kEndTxn, std::vector<std::string>(7, "_TRANSPORT")).ok());
  int unknown = 0;
  Status committed;
  ASSERT_TRUE(Eventually([&] {
    committed = producer->CommitTransaction(1);
    if (!committed.ok() && committed.retriable()) unknown++;
    return committed.ok() || !committed.retriable();
  }));
  EXPECT_TRUE(committed.ok()) << committed.message();
  EXPECT_GT(unknown, 0);
  EXPECT_TRUE(RunTransaction(*producer, 8).ok());
}

// scripts/setup/patches/librdkafka-coordinator-request.patch
TEST_F(TransactionsTest, TheGroupsCoordinatorIsLookedForUntilTheTimeIsOver) {
  const auto producer = NewTransactional();
  ASSERT_TRUE(producer->InitTransactions(kStepMs).ok());
  // An answer after which librdkafka waits for a broker to come or to go.
  ASSERT_TRUE(cluster_->InjectErrors(kFindCoordinator, {"NOT_COORDINATOR", "NOT_COORDINATOR"}).ok());
  const Status committed = RunTransaction(*producer);
  ASSERT_TRUE(committed.ok()) << committed.message();

  const auto late = NewTransactional({{"transactional.id", "late"}});
  ASSERT_TRUE(late->InitTransactions(kStepMs).ok());
  ASSERT_TRUE(late->BeginTransaction().ok());
  ASSERT_TRUE(Produce(*late, 10).ok());
  // More than there is time for.
  ASSERT_TRUE(
      cluster_->InjectErrors(kFindCoordinator, std::vector<std::string>(1000, "NOT_COORDINATOR")).ok());
  const Status sent = late->SendOffsets({{"in", 0, 1, ""}}, Member(), 1'500);
  EXPECT_EQ(sent.code(), "kafka:_TIMED_OUT") << sent.message();
  EXPECT_FALSE(sent.fatal());
  ASSERT_TRUE(cluster_->InjectErrors(kFindCoordinator, {}).ok());
  const Status aborted = late->AbortTransaction(kStepMs);
  EXPECT_TRUE(aborted.ok()) << aborted.message();
}

TEST_F(TransactionsTest, AnAbortDropsWhatIsQueuedAndItsErrors) {
  const auto producer = NewTransactional({{"linger.ms", "10000"}});
  ASSERT_TRUE(producer->InitTransactions(kStepMs).ok());
  ASSERT_TRUE(producer->BeginTransaction().ok());
  const int topic = producer->Topic("out", 2).value();
  OutBatch batch(50);
  for (const Record& record : NumberedRecords(50)) batch.Add(topic, 1, record);
  ASSERT_EQ(producer->Produce(batch.View(), 0, 50).value(), 50U);
  const Status aborted = producer->AbortTransaction(kStepMs);
  ASSERT_TRUE(aborted.ok()) << aborted.message();
  EXPECT_TRUE(producer->FirstError().ok());
  EXPECT_EQ(producer->GetStats().queued_records, 0);
  EXPECT_EQ(producer->GetStats().queued_bytes, 0);
  EXPECT_EQ(producer->DeliveredOffset(topic, 1), -1);
  EXPECT_TRUE(RunTransaction(*producer).ok());
}

TEST_F(TransactionsTest, AStartThatIsRefusedSaysWhy) {
  for (const std::string error : {"TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "INVALID_TRANSACTION_TIMEOUT"}) {
    SCOPED_TRACE(error);
    ASSERT_TRUE(cluster_->InjectErrors(kInitProducerId, {error}).ok());
    const Status refused = NewTransactional()->InitTransactions(kStepMs);
    EXPECT_EQ(refused.code(), "kafka:" + error) << refused.message();
    EXPECT_FALSE(refused.retriable());
  }
}

TEST_F(TransactionsTest, AStartWithoutBrokersCanBeTriedAgainAndEndsWithItsOwner) {
  const Cancellation owner;
  const auto producer =
      Producer::Create({{"bootstrap.servers", "127.0.0.1:1"}, {"transactional.id", "id"}, {"log_level", "0"}},
                       owner)
          .value();
  const Status waiting = producer->InitTransactions(1);
  EXPECT_TRUE(waiting.retriable()) << waiting.code();
  std::thread starting([&] { EXPECT_EQ(producer->InitTransactions(kStepMs * 10).code(), "closed"); });
  owner.Cancel();
  starting.join();
}

}  // namespace
}  // namespace weir::test
