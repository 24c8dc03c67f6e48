#include "common/murmur2.h"
#include "kafka_support.h"

namespace weir::test {
namespace {

class ProducerTest : public KafkaTest {};

TEST_F(ProducerTest, RefusesSettingsThatAGuaranteeRestsOn) {
  KafkaConfig config = ProducerConfig();
  config["enable.idempotence"] = "false";
  const auto producer = Producer::Create(config, Cancellation());
  ASSERT_FALSE(producer.ok());
  EXPECT_EQ(producer.status().code(), "invalid");
  EXPECT_EQ(producer.status().message(), "Kafka client setting enable.idempotence must be true, not false");
}

TEST_F(ProducerTest, NamesAnUnknownSetting) {
  KafkaConfig config = ProducerConfig();
  config["linger.millis"] = "5";
  const auto producer = Producer::Create(config, Cancellation());
  ASSERT_FALSE(producer.ok());
  EXPECT_EQ(producer.status().message(), "Kafka client setting linger.millis is unknown to librdkafka");
}

TEST_F(ProducerTest, CountsDeliveriesAndKeepsTheHighestOffsetOfEachPartition) {
  ASSERT_TRUE(cluster_->CreateTopic("out", 4).ok());
  const auto producer = NewProducer();
  const int topic = producer->Topic("out", 4).value();
  EXPECT_EQ(producer->Topic("out", 4).value(), topic);
  EXPECT_EQ(producer->Topic("out", 5).status().code(), "invalid");
  ProduceAll(*producer, topic, 1, NumberedRecords(1000));
  ProduceAll(*producer, topic, 3, NumberedRecords(7));
  EXPECT_EQ(producer->DeliveredOffset(topic, 0), -1);
  EXPECT_EQ(producer->DeliveredOffset(topic, 1), 1000);
  EXPECT_EQ(producer->DeliveredOffset(topic, 3), 7);
  EXPECT_TRUE(producer->FirstError().ok());
  const Producer::Stats stats = producer->GetStats();
  EXPECT_EQ(stats.delivered_records, 1007);
  EXPECT_EQ(stats.queued_records, 0);
  EXPECT_EQ(stats.queued_bytes, 0);
}

TEST_F(ProducerTest, ChoosesPartitionsByMurmur2AndSticksForNullKeys) {
  ASSERT_TRUE(cluster_->CreateTopic("out", 5).ok());
  const auto producer = NewProducer();
  const int topic = producer->Topic("out", 5).value();
  std::vector<int64_t> expected(5, 0);
  std::vector<Record> records = NumberedRecords(500);
  for (const Record& record : records) {
    expected[(Murmur2(reinterpret_cast<const uint8_t*>(record.key->data()), record.key->size()) &
              0x7fffffff) %
             5]++;
  }
  ProduceAll(*producer, topic, -1, records);
  for (int32_t p = 0; p < 5; p++)
    EXPECT_EQ(producer->DeliveredOffset(topic, p), expected[p]) << "partition " << p;

  // 10 records of 100 bytes are fewer than fill a sticky partition.
  ProduceAll(*producer, topic, -1, std::vector<Record>(10, {std::nullopt, std::string(100, 'x')}));
  int changed = 0;
  for (int32_t p = 0; p < 5; p++) changed += producer->DeliveredOffset(topic, p) != expected[p];
  EXPECT_EQ(changed, 1);
  // 2,000 fill one after the other; the odds that all go to one partition are 5^-11.
  ProduceAll(*producer, topic, -1, std::vector<Record>(2000, {std::nullopt, std::string(100, 'x')}));
  changed = 0;
  for (int32_t p = 0; p < 5; p++) changed += producer->DeliveredOffset(topic, p) != expected[p];
  EXPECT_GT(changed, 1);
}

TEST_F(ProducerTest, StopsAtAFullQueueAndTellsWhenThereIsRoom) {
  ASSERT_TRUE(cluster_->CreateTopic("out", 1).ok());
  const auto producer = NewProducer({{"queue.buffering.max.messages", "100"}, {"linger.ms", "1"}});
  const int topic = producer->Topic("out", 1).value();
  OutBatch batch(1000);
  for (const Record& record : NumberedRecords(1000)) batch.Add(topic, 0, record);
  size_t next = 0;
  int waited = 0;
  while (next < batch.count()) {
    const Result<size_t> taken = producer->Produce(batch.View(), next, batch.count());
    ASSERT_TRUE(taken.ok()) << taken.status().message();
    next = taken.value();
    if (next == batch.count()) break;
    EXPECT_LE(producer->GetStats().queued_records, 100);
    std::atomic<bool> writable{false};
    producer->OnWritable([&](Status status) {
      EXPECT_TRUE(status.ok());
      writable = true;
    });
    ASSERT_TRUE(Eventually([&] { return writable.load(); }));
    waited++;
  }
  EXPECT_GE(waited, 9);
  ASSERT_TRUE(producer->Flush(30'000).ok());
  EXPECT_EQ(producer->DeliveredOffset(topic, 0), 1000);
  // Nothing is queued: at once.
  bool writable = false;
  producer->OnWritable([&](Status) { writable = true; });
  EXPECT_TRUE(writable);
}

TEST_F(ProducerTest, AppendWaitsWhileTheQueueIsFull) {
  ASSERT_TRUE(cluster_->CreateTopic("changelog", 2).ok());
  const auto producer = NewProducer({{"queue.buffering.max.messages", "50"}, {"linger.ms", "1"}});
  EXPECT_EQ(producer->TopicId("changelog"), -1);
  const int topic = producer->Topic("changelog", 2).value();
  EXPECT_EQ(producer->TopicId("changelog"), topic);
  for (int i = 0; i < 1000; i++) {
    const std::string value = std::to_string(i);
    const Status status = producer->Append(
        topic, 1, "key", i % 3 == 0 ? std::nullopt : std::optional<std::string_view>(value), "", i);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  ASSERT_TRUE(producer->Flush(30'000).ok());
  EXPECT_EQ(producer->DeliveredOffset(topic, 1), 1000);
}

TEST_F(ProducerTest, AppendAndFlushAndWaitersEndWhenTheProducerIsClosed) {
  // A topic that no broker has: nothing is ever delivered.
  const auto producer = NewProducer(
      {{"bootstrap.servers", "127.0.0.1:1"}, {"queue.buffering.max.messages", "10"}, {"log_level", "0"}});
  const int topic = producer->Topic("nowhere", 1).value();
  std::thread appending([&] {
    Status status;
    while (status.ok()) status = producer->Append(topic, 0, "key", "value", "", 1);
    EXPECT_EQ(status.code(), "closed");
  });
  EXPECT_TRUE(Eventually([&] { return producer->GetStats().queued_records == 10; }));
  // With nothing queued it would have nothing to wait for.
  std::thread flushing([&] { EXPECT_EQ(producer->Flush(60'000).code(), "closed"); });
  EXPECT_EQ(producer->Flush(1).code(), "kafka:_TIMED_OUT");
  std::atomic<int> told{0};
  producer->Close();
  appending.join();
  flushing.join();
  producer->OnWritable([&](Status status) {
    EXPECT_EQ(status.code(), "closed");
    told++;
  });
  EXPECT_EQ(told, 1);
  producer->Close();
  EXPECT_EQ(producer->Topic("more", 1).status().code(), "closed");
  EXPECT_TRUE(producer->FirstError().ok()) << "what a close drops is no delivery error";
}

TEST_F(ProducerTest, AppendEndsWithItsOwnersThread) {
  const Cancellation owner;
  KafkaConfig config{
      {"bootstrap.servers", "127.0.0.1:1"}, {"queue.buffering.max.messages", "10"}, {"log_level", "0"}};
  const auto producer = Producer::Create(config, owner).value();
  const int topic = producer->Topic("nowhere", 1).value();
  std::thread appending([&] {
    Status status;
    while (status.ok()) status = producer->Append(topic, 0, "key", "value", "", 1);
    EXPECT_EQ(status.code(), "closed");
  });
  ASSERT_TRUE(Eventually([&] { return producer->GetStats().queued_records == 10; }));
  owner.Cancel();
  appending.join();
}

TEST_F(ProducerTest, KeepsTheFirstDeliveryError) {
  ASSERT_TRUE(cluster_->CreateTopic("out", 2).ok());
  const auto producer = NewProducer();
  const int topic = producer->Topic("out", 2).value();
  ProduceAll(*producer, topic, 0, NumberedRecords(5));
  constexpr int16_t kProduce = 0;
  ASSERT_TRUE(cluster_->InjectErrors(kProduce, {"TOPIC_AUTHORIZATION_FAILED"}).ok());
  OutBatch batch(1);
  batch.Add(topic, 1, {"key", "value"});
  ASSERT_TRUE(producer->Produce(batch.View(), 0, 1).ok());
  const Status flushed = producer->Flush(30'000);
  EXPECT_EQ(flushed.code(), "kafka:TOPIC_AUTHORIZATION_FAILED");
  EXPECT_NE(flushed.message().find("out [1]"), std::string::npos) << flushed.message();
  EXPECT_FALSE(flushed.retriable());
  EXPECT_EQ(producer->FirstError().message(), flushed.message());
  EXPECT_EQ(producer->DeliveredOffset(topic, 1), -1);
  // It stays.
  EXPECT_EQ(producer->Flush(30'000).code(), "kafka:TOPIC_AUTHORIZATION_FAILED");
}

TEST_F(ProducerTest, RetriesWhatPasses) {
  ASSERT_TRUE(cluster_->CreateTopic("out", 1).ok());
  const auto producer = NewProducer({{"retry.backoff.ms", "10"}});
  const int topic = producer->Topic("out", 1).value();
  constexpr int16_t kProduce = 0;
  ASSERT_TRUE(cluster_->InjectErrors(kProduce, {"NOT_LEADER_FOR_PARTITION", "REQUEST_TIMED_OUT"}).ok());
  ProduceAll(*producer, topic, 0, NumberedRecords(10));
  EXPECT_EQ(producer->DeliveredOffset(topic, 0), 10);
}

TEST_F(ProducerTest, NamesARecordThatIsTooLarge) {
  ASSERT_TRUE(cluster_->CreateTopic("out", 1).ok());
  const auto producer = NewProducer({{"message.max.bytes", "2000"}});
  const int topic = producer->Topic("out", 1).value();
  OutBatch batch(3);
  batch.Add(topic, 0, {"key", "fits"});
  batch.Add(topic, 0, {"key", std::string(5000, 'x')});
  batch.Add(topic, 0, {"key", "not reached"});
  const Result<size_t> taken = producer->Produce(batch.View(), 0, 3);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.status().code(), "kafka:MSG_SIZE_TOO_LARGE");
  EXPECT_EQ(taken.status().message(),
            "Producer.produce: a record for out [0]: it has 5003 bytes (without headers), more than allowed "
            "(message.max.bytes, 2000 bytes)");
  ASSERT_TRUE(producer->Flush(30'000).ok());
  EXPECT_EQ(producer->DeliveredOffset(topic, 0), 1) << "the records before it were taken";
}

TEST_F(ProducerTest, RefusesMalformedBatches) {
  ASSERT_TRUE(cluster_->CreateTopic("out", 2).ok());
  const auto producer = NewProducer();
  const int topic = producer->Topic("out", 2).value();
  const auto refusal = [&](const std::function<void(int32_t*)>& change, Record record = {"key", "value"}) {
    OutBatch batch(1);
    batch.Add(topic, 0, record);
    change(batch.integers());
    const Result<size_t> taken = producer->Produce(batch.View(), 0, 1);
    EXPECT_FALSE(taken.ok());
    return taken.ok() ? "" : taken.status().message();
  };
  EXPECT_EQ(refusal([](int32_t* columns) { columns[0] = 1; }),
            "Producer.produce: record 0 of the batch names topic 1, which is not registered");
  EXPECT_EQ(refusal([](int32_t* columns) { columns[1] = 2; }),
            "Producer.produce: out [2] does not exist: the topic has 2 partitions");
  EXPECT_EQ(refusal([](int32_t* columns) { columns[3] = 1000; }),
            "Producer.produce: record 0 of the batch lies outside of its arena");
  EXPECT_EQ(refusal([](int32_t* columns) { columns[4] = -5; }),
            "Producer.produce: record 0 of the batch lies outside of its arena");
  EXPECT_EQ(
      refusal([](int32_t*) {}, {"key", "value", -2}),
      "Producer.produce: record 0 of the batch for out has a timestamp that is no number of ms since 1970");
  EXPECT_EQ(refusal([](int32_t* columns) { columns[7] -= 1; }, {"key", "value", 1, {{"name", "value"}}}),
            "Producer.produce: record 0 of the batch for out has headers that cannot be decoded");
}

}  // namespace
}  // namespace weir::test
