#include <poll.h>

#include "kafka_support.h"

namespace weir::test {
namespace {

constexpr int16_t kFetchRequest = 1;

// Without a group: partitions are assigned by hand.
class ConsumeTest : public KafkaTest {
 protected:
  void SetUp() override {
    KafkaTest::SetUp();
    ASSERT_TRUE(cluster_->CreateTopic("in", 4).ok());
    producer_ = NewProducer();
    topic_ = producer_->Topic("in", 4).value();
  }

  void Produce(int32_t partition, const std::vector<Record>& records) {
    ProduceAll(*producer_, topic_, partition, records);
  }

  void Expect(const std::vector<Record>& read, const std::vector<Record>& expected,
              int64_t first_offset = 0) {
    ASSERT_EQ(read.size(), expected.size());
    for (size_t i = 0; i < read.size(); i++) {
      ASSERT_EQ(read[i], expected[i]) << "record " << i;
      ASSERT_EQ(read[i].offset, first_offset + static_cast<int64_t>(i));
    }
  }

  static std::unique_ptr<ConsumerReader> NewReader(const ConsumerUnderTest& consumer) {
    auto reader = ConsumerReader::Create(consumer.get());
    EXPECT_TRUE(reader.ok());
    return std::move(reader.value());
  }

  std::shared_ptr<Producer> producer_;
  int topic_ = -1;
};

std::string RandomBytes(std::mt19937& random, size_t size_max) {
  std::string bytes(random() % (size_max + 1), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::optional<std::string> RandomField(std::mt19937& random, size_t size_max) {
  switch (random() % 8) {
    case 0:
      return std::nullopt;
    case 1:
      return "";
    default:
      return RandomBytes(random, size_max);
  }
}

TEST_F(ConsumeTest, GivesBackWhatWasProduced) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<Record> model;
  for (int i = 0; i < 3000; i++) {
    Record record{RandomField(random, 40), RandomField(random, random() % 20 == 0 ? 5000 : 100)};
    record.timestamp = 1 + static_cast<int64_t>(random() % 2'000'000'000'000);
    for (size_t h = random() % 3 == 0 ? random() % 4 : 0; h > 0; h--) {
      record.headers.push_back({"header-" + std::to_string(random() % 10), RandomField(random, 30)});
    }
    model.push_back(std::move(record));
  }
  Produce(2, model);

  ConsumerUnderTest consumer(ConsumerConfig());
  ASSERT_TRUE(consumer->Assign({{"in", 2, 0, ""}}).ok());
  auto reader = NewReader(consumer);
  const int32_t slot = reader->Open("in", 2, 0).value();
  // Small arenas, so that records wait for the next batch.
  Expect(ReadRecords(reader->Slot(slot), model.size(), 1 + random() % 300, 8192), model);
  EXPECT_EQ(reader->Slot(slot)->Watermarks().second, 3000);
}

TEST_F(ConsumeTest, SaysHowLargeARecordIsThatDoesNotFit) {
  const std::vector<Record> records{
      {"k", "small"}, {"key", std::string(10'000, 'x'), 1, {{"name", "value"}}}, {"k", "last"}};
  Produce(0, records);
  ConsumerUnderTest consumer(ConsumerConfig());
  ASSERT_TRUE(consumer->Assign({{"in", 0, 0, ""}}).ok());
  auto reader = NewReader(consumer);
  PartitionSlot* slot = reader->Slot(reader->Open("in", 0, 0).value());
  Expect(ReadRecords(slot, 1, 100, 1000), {records[0]});
  InBatch small(100, 1000);
  const int32_t needed = 10'003 + 4 + 8 + 4 + 5;
  EXPECT_EQ(slot->Poll(small.View()).value(), -needed);
  EXPECT_EQ(slot->Poll(small.View()).value(), -needed);
  Expect(ReadRecords(slot, 1, 1, static_cast<size_t>(needed)), {records[1]}, 1);
  Expect(ReadRecords(slot, 1, 100, 1000), {records[2]}, 2);
}

TEST_F(ConsumeTest, AFullPartitionThatNobodyPollsStopsNoOther) {
  Produce(0, std::vector<Record>(3000, {"key", std::string(1000, 'x')}));
  Produce(1, std::vector<Record>(3000, {"key", std::string(1000, 'x')}));
  KafkaConfig config = ConsumerConfig();
  config["queued.max.messages.kbytes"] = "100";
  config["queued.min.messages"] = "10";
  config["fetch.message.max.bytes"] = "20000";
  ConsumerUnderTest consumer(config);
  ASSERT_TRUE(consumer->Assign(At({{"in", 0}, {"in", 1}}, 0)).ok());
  auto reader = NewReader(consumer);
  const int32_t full = reader->Open("in", 0, 0).value();
  const int32_t other = reader->Open("in", 1, 0).value();
  EXPECT_EQ(ReadRecords(reader->Slot(other), 3000).size(), 3000u);
  EXPECT_EQ(ReadRecords(reader->Slot(full), 3000).size(), 3000u);
}

TEST_F(ConsumeTest, APartitionThatLeavesAndReturnsIsReadFromTheGivenOffset) {
  const std::vector<Record> records = NumberedRecords(1000);
  Produce(0, records);
  ConsumerUnderTest consumer(ConsumerConfig());
  auto reader = NewReader(consumer);
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20; round++) {
    // The reader's offset need not be the one it was assigned from.
    const int64_t assigned = static_cast<int64_t>(random() % 900);
    const int64_t opened = random() % 2 == 0 ? assigned : static_cast<int64_t>(random() % 900);
    ASSERT_TRUE(consumer->Assign({{"in", 0, assigned, ""}}).ok());
    const int32_t slot = reader->Open("in", 0, opened).value();
    const std::vector<Record> read = ReadRecords(reader->Slot(slot), 20, 1 + random() % 50);
    for (size_t i = 0; i < read.size(); i++) {
      ASSERT_EQ(read[i].offset, opened + static_cast<int64_t>(i));
      ASSERT_EQ(read[i], records[static_cast<size_t>(opened) + i]);
    }
    // Whoever still reads finds nothing.
    ASSERT_TRUE(consumer->Unassign({{"in", 0}}).ok());
    InBatch batch(100, 10'000);
    EXPECT_EQ(reader->Slot(slot)->Poll(batch.View()).value(), 0);
    EXPECT_EQ(reader->Open("in", 0, 0).status().code(), "closed");
    reader->Close(slot);
  }
}

TEST_F(ConsumeTest, AnotherReaderReadsOnFromItsOwnOffset) {
  const std::vector<Record> records = NumberedRecords(1000);
  Produce(3, records);
  ConsumerUnderTest consumer(ConsumerConfig());
  ASSERT_TRUE(consumer->Assign({{"in", 3, 0, ""}}).ok());
  auto first = NewReader(consumer);
  auto second = NewReader(consumer);
  const int32_t slot = first->Open("in", 3, 0).value();
  const Result<int32_t> twice = second->Open("in", 3, 0);
  EXPECT_EQ(twice.status().code(), "invalid");
  EXPECT_EQ(twice.status().message(), "in [3] is already open");
  // It has read on further than it has processed.
  EXPECT_EQ(ReadRecords(first->Slot(slot), 500, 30).size() >= 500, true);
  first->Close(slot);
  const int32_t next = second->Open("in", 3, 100).value();
  const std::vector<Record> read = ReadRecords(second->Slot(next), 900);
  Expect(read, std::vector<Record>(records.begin() + 100, records.end()), 100);
}

TEST_F(ConsumeTest, SeeksBackAndForth) {
  const std::vector<Record> records = NumberedRecords(500);
  Produce(0, records);
  ConsumerUnderTest consumer(ConsumerConfig());
  ASSERT_TRUE(consumer->Assign({{"in", 0, 0, ""}}).ok());
  auto reader = NewReader(consumer);
  PartitionSlot* slot = reader->Slot(reader->Open("in", 0, 0).value());
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 50; round++) {
    const int64_t offset = static_cast<int64_t>(random() % 400);
    if (random() % 3 == 0) slot->Seek(static_cast<int64_t>(random() % 400));  // overtaken by the next
    slot->Seek(offset);
    const std::vector<Record> read = ReadRecords(slot, 10, 1 + random() % 40);
    for (size_t i = 0; i < read.size(); i++) ASSERT_EQ(read[i].offset, offset + static_cast<int64_t>(i));
  }
}

TEST_F(ConsumeTest, APausedPartitionLosesNothing) {
  KafkaConfig config = ConsumerConfig();
  config["enable.partition.eof"] = "true";
  ConsumerUnderTest consumer(config);
  ASSERT_TRUE(consumer->Assign({{"in", 0, 0, ""}}).ok());
  auto reader = NewReader(consumer);
  PartitionSlot* slot = reader->Slot(reader->Open("in", 0, 0).value());
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  int64_t next = 0;
  InBatch batch(7, 10'000);
  const auto read_to = [&](int64_t end) {
    ASSERT_TRUE(Eventually([&] {
      const Result<int32_t> count = slot->Poll(batch.View());
      EXPECT_TRUE(count.ok());
      for (int32_t i = 0; i < count.value(); i++) {
        EXPECT_EQ(batch.At(static_cast<size_t>(i)).offset, next);
        next++;
      }
      return next >= end;
    })) << "stuck at "
        << next << " of " << end;
  };
  int64_t produced = 0;
  for (int round = 0; round < 30; round++) {
    // Paused at the end of the partition, or short of it with records fetched and not yet polled.
    const size_t count = 1 + random() % 20;
    Produce(0, NumberedRecords(count, "v", static_cast<size_t>(produced)));
    const int64_t stop_at = random() % 2 == 0 ? produced + static_cast<int64_t>(count) : produced + 1;
    produced += static_cast<int64_t>(count);
    read_to(stop_at);
    // The poll that finds the end takes the EOF message too.
    if (stop_at == produced) {
      EXPECT_EQ(slot->Poll(batch.View()).value(), 0);
    }
    slot->Pause();
    Produce(0, NumberedRecords(2, "v", static_cast<size_t>(produced)));
    produced += 2;
    EXPECT_EQ(slot->Poll(batch.View()).value(), 0);
    slot->Resume(next);
    read_to(produced);
  }
}

TEST_F(ConsumeTest, WakesForEveryRecordThatComesAfterAnEmptyPoll) {
  constexpr int kRecords = 3000;
  ConsumerUnderTest consumer(ConsumerConfig());
  ASSERT_TRUE(consumer->Assign(At({{"in", 0}, {"in", 1}}, 0)).ok());
  auto reader = NewReader(consumer);
  PartitionSlot* slots[] = {reader->Slot(reader->Open("in", 0, 0).value()),
                            reader->Slot(reader->Open("in", 1, 0).value())};
  std::thread producing([&] {
    std::mt19937 random(1);
    const auto producer = NewProducer({{"linger.ms", "0"}});
    const int topic = producer->Topic("in", 4).value();
    for (int i = 0; i < kRecords; i++) {
      OutBatch batch(1);
      batch.Add(topic, static_cast<int32_t>(random() % 2), {"key", std::to_string(i)});
      EXPECT_EQ(producer->Produce(batch.View(), 0, 1).value(), 1u);
      if (random() % 3 == 0) {
        EXPECT_TRUE(producer->Flush(30'000).ok());
      }
    }
    EXPECT_TRUE(producer->Flush(30'000).ok());
  });
  int read = 0;
  InBatch batch(10, 1000);
  while (read < kRecords) {
    bool found = false;
    for (PartitionSlot* slot : slots) {
      const Result<int32_t> count = slot->Poll(batch.View());
      ASSERT_TRUE(count.ok());
      read += count.value();
      found |= count.value() > 0;
    }
    if (found || read == kRecords) continue;
    pollfd waiting{reader->waker()->fd(), POLLIN, 0};
    // Without a wake-up this waits for ever; a broken one fails instead.
    ASSERT_EQ(poll(&waiting, 1, 30'000), 1) << "not woken after " << read << " records";
    reader->waker()->Drain();
  }
  producing.join();
  EXPECT_EQ(read, kRecords);
}

TEST_F(ConsumeTest, TellsAPartitionsErrorAfterTheRecordsBeforeIt) {
  Produce(0, NumberedRecords(10));
  ConsumerUnderTest consumer(ConsumerConfig());
  ASSERT_TRUE(consumer->Assign({{"in", 0, 500, ""}}).ok());
  auto reader = NewReader(consumer);
  PartitionSlot* slot = reader->Slot(reader->Open("in", 0, 500).value());
  InBatch batch(100, 10'000);
  Status error;
  ASSERT_TRUE(Eventually([&] {
    const Result<int32_t> count = slot->Poll(batch.View());
    if (!count.ok()) error = count.status();
    return !count.ok();
  }));
  EXPECT_EQ(error.code(), "kafka:_AUTO_OFFSET_RESET");
  EXPECT_EQ(error.message().rfind("in [0]: ", 0), 0u) << error.message();
  EXPECT_FALSE(error.retriable());
  // A seek to where there are records goes on.
  slot->Seek(3);
  EXPECT_EQ(ReadRecords(slot, 7).front().offset, 3);

  ASSERT_TRUE(cluster_->InjectErrors(kFetchRequest, {"TOPIC_AUTHORIZATION_FAILED"}).ok());
  Produce(0, NumberedRecords(5, "w", 10));
  int32_t records = 0;
  error = Status::Ok();
  ASSERT_TRUE(Eventually([&] {
    const Result<int32_t> count = slot->Poll(batch.View());
    if (count.ok()) {
      records += count.value();
    } else {
      error = count.status();
    }
    return records == 5 && !error.ok();
  }));
  EXPECT_EQ(error.code(), "kafka:TOPIC_AUTHORIZATION_FAILED");
}

TEST_F(ConsumeTest, RefusesWhatIsNoPosition) {
  ConsumerUnderTest consumer(ConsumerConfig());
  EXPECT_EQ(consumer->Assign({{"in", 0, -1, ""}}).message(),
            "Consumer.assign: in [0] needs an offset of 0 or above");
  ASSERT_TRUE(consumer->Assign({{"in", 0, 0, ""}}).ok());
  EXPECT_EQ(consumer->Assign({{"in", 0, 0, ""}}).message(), "Consumer.assign: in [0] is already assigned");
  for (const auto& [name, value] : KafkaConfig{{"enable.auto.commit", "true"},
                                               {"auto.offset.reset", "earliest"},
                                               {"enable.auto.offset.store", "true"}}) {
    KafkaConfig config = ConsumerConfig();
    config[name] = value;
    EXPECT_EQ(Consumer::Create(config, [](ConsumerEvent) {}).status().code(), "invalid") << name;
  }
}

TEST_F(ConsumeTest, EndsUnderReadersThatGoOn) {
  for (int32_t p = 0; p < 4; p++) Produce(p, NumberedRecords(2000));
  for (int round = 0; round < 5; round++) {
    ConsumerUnderTest consumer(ConsumerConfig());
    ASSERT_TRUE(consumer->Assign(At({{"in", 0}, {"in", 1}, {"in", 2}, {"in", 3}}, 0)).ok());
    std::atomic<bool> stop{false};
    std::atomic<int64_t> read{0};
    std::vector<std::thread> readers;
    for (int32_t p = 0; p < 4; p++) {
      readers.emplace_back([&, p] {
        auto reader = NewReader(consumer);
        PartitionSlot* slot = reader->Slot(reader->Open("in", p, 0).value());
        InBatch batch(50, 2000);
        for (int polls = 1; !stop; polls++) {
          const Result<int32_t> count = slot->Poll(batch.View());
          if (count.ok()) read += count.value();
          if (polls % 10'000 == 0) slot->Seek(0);
          slot->Watermarks();
        }
      });
    }
    EXPECT_TRUE(Eventually([&] { return read > 2000; }));
    ASSERT_TRUE(consumer->Unassign({{"in", 1}, {"in", 2}}).ok());
    if (round % 2 == 0) {
      ASSERT_TRUE(consumer->Assign({{"in", 1, 5, ""}}).ok());
    }
    consumer->Abandon();
    EXPECT_EQ(consumer->Subscribe({"in"}).code(), "closed");
    EXPECT_EQ(consumer->Committed({{"in", 0}}, 100, Cancellation()).status().code(), "closed");
    stop = true;
    for (std::thread& each : readers) each.join();
  }
}

}  // namespace
}  // namespace weir::test
