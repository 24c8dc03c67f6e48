#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/cancellation.h"
#include "consume/consumer.h"
#include "consume/consumer_reader.h"
#include "produce/producer.h"
#include "testing/mock_cluster.h"

// What the tests of consume, produce and admin share: records, batches built from them, a consumer whose events are kept.
namespace weir::test {

// How long a test waits for something that must happen; only a broken one waits that long.
constexpr auto kPatience = std::chrono::seconds(30);

// Waits until `condition` holds. Returns whether it did.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

struct Header {
  std::string name;
  std::optional<std::string> value;
  friend bool operator==(const Header& a, const Header& b) { return a.name == b.name && a.value == b.value; }
};

struct Record {
  std::optional<std::string> key;
  std::optional<std::string> value;
  int64_t timestamp = 1;
  std::vector<Header> headers = {};
  int64_t offset = -1;
  friend bool operator==(const Record& a, const Record& b) {
    return a.key == b.key && a.value == b.value && a.timestamp == b.timestamp && a.headers == b.headers;
  }
};

inline void PrintTo(const Record& record, std::ostream* out) {
  *out << "offset " << record.offset << " key " << record.key.value_or("(null)") << " value "
       << record.value.value_or("(null)") << " timestamp " << record.timestamp << " headers "
       << record.headers.size();
}

inline void AppendInt32(std::string* bytes, int32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes->push_back(static_cast<char>(static_cast<uint32_t>(value) >> shift));
}

inline std::string EncodeHeaders(const std::vector<Header>& headers) {
  std::string bytes;
  AppendInt32(&bytes, static_cast<int32_t>(headers.size()));
  for (const Header& header : headers) {
    AppendInt32(&bytes, static_cast<int32_t>(header.name.size()));
    bytes += header.name;
    AppendInt32(&bytes, header.value.has_value() ? static_cast<int32_t>(header.value->size()) : -1);
    bytes += header.value.value_or("");
  }
  return bytes;
}

inline int32_t ReadInt32(const uint8_t*& at) {
  int32_t value = 0;
  for (int i = 0; i < 4; i++) value = static_cast<int32_t>(static_cast<uint32_t>(value) << 8 | *at++);
  return value;
}

inline std::vector<Header> DecodeHeaderBytes(const uint8_t* at, int32_t length) {
  std::vector<Header> headers;
  if (length < 0) return headers;
  const uint8_t* end = at + length;
  const int32_t count = ReadInt32(at);
  for (int32_t i = 0; i < count; i++) {
    Header header;
    const int32_t name_length = ReadInt32(at);
    header.name.assign(reinterpret_cast<const char*>(at), static_cast<size_t>(name_length));
    at += name_length;
    const int32_t value_length = ReadInt32(at);
    if (value_length >= 0) {
      header.value.emplace(reinterpret_cast<const char*>(at), static_cast<size_t>(value_length));
      at += value_length;
    }
    headers.push_back(std::move(header));
  }
  EXPECT_EQ(at, end);
  return headers;
}

// A batch to produce, with the memory it points into.
class OutBatch {
 public:
  explicit OutBatch(size_t capacity)
      : capacity_(capacity), columns_(ProduceBatch::ColumnBytes(capacity) / 8 + 1) {}

  void Add(int32_t topic, int32_t partition, const Record& record) {
    double* doubles = columns_.data();
    int32_t* integers = reinterpret_cast<int32_t*>(doubles + capacity_);
    doubles[count_] = static_cast<double>(record.timestamp);
    integers[count_] = topic;
    integers[capacity_ + count_] = partition;
    Put(integers + 2 * capacity_, record.key);
    Put(integers + 4 * capacity_, record.value);
    Put(integers + 6 * capacity_,
        record.headers.empty() ? std::nullopt : std::optional<std::string>(EncodeHeaders(record.headers)));
    count_++;
  }

  size_t count() const { return count_; }
  int32_t* integers() { return reinterpret_cast<int32_t*>(columns_.data() + capacity_); }
  ProduceBatch View() const {
    return ProduceBatch::Over(reinterpret_cast<const uint8_t*>(arena_.data()), arena_.size(), columns_.data(),
                              capacity_);
  }

 private:
  void Put(int32_t* starts, const std::optional<std::string>& bytes) {
    starts[count_] = static_cast<int32_t>(arena_.size());
    starts[capacity_ + count_] = bytes.has_value() ? static_cast<int32_t>(bytes->size()) : -1;
    arena_ += bytes.value_or("");
  }

  const size_t capacity_;
  std::vector<double> columns_;
  std::string arena_;
  size_t count_ = 0;
};

// An arena and columns to poll into.
class InBatch {
 public:
  InBatch(size_t capacity, size_t arena_size)
      : capacity_(capacity), columns_(RecordBatch::ColumnBytes(capacity) / 8 + 1), arena_(arena_size) {}

  RecordBatch View() { return RecordBatch::Over(arena_.data(), arena_.size(), columns_.data(), capacity_); }

  Record At(size_t i) {
    const RecordBatch batch = View();
    Record record;
    record.offset = static_cast<int64_t>(batch.offset[i]);
    record.timestamp = static_cast<int64_t>(batch.timestamp[i]);
    record.key = Get(batch.key_start[i], batch.key_length[i]);
    record.value = Get(batch.value_start[i], batch.value_length[i]);
    record.headers = DecodeHeaderBytes(arena_.data() + batch.headers_start[i], batch.headers_length[i]);
    return record;
  }

 private:
  std::optional<std::string> Get(int32_t start, int32_t length) const {
    if (length < 0) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(arena_.data()) + start, static_cast<size_t>(length));
  }

  const size_t capacity_;
  std::vector<double> columns_;
  std::vector<uint8_t> arena_;
};

// A consumer and what it told, for a test to answer.
class ConsumerUnderTest {
 public:
  explicit ConsumerUnderTest(const KafkaConfig& config) {
    auto created = Consumer::Create(config, [this](ConsumerEvent event) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (event.type == ConsumerEvent::Type::kStray) strays_++;
      events_.push_back(std::move(event));
      changed_.notify_all();
    });
    EXPECT_TRUE(created.ok()) << (created.ok() ? "" : created.status().message());
    consumer_ = created.value();
  }
  ~ConsumerUnderTest() {
    consumer_->Abandon();
    EXPECT_EQ(strays_, 0) << "records in the main queue";
  }

  Consumer* operator->() { return consumer_.get(); }
  const std::shared_ptr<Consumer>& get() const { return consumer_; }

  // The next event of that type; others before it are dropped.
  std::optional<ConsumerEvent> Next(ConsumerEvent::Type type,
                                    std::chrono::milliseconds patience = kPatience) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
      while (!events_.empty()) {
        ConsumerEvent event = std::move(events_.front());
        events_.pop_front();
        if (event.type == type) return event;
      }
      if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
    }
  }

  // The next rebalance event, whichever it is.
  std::optional<ConsumerEvent> NextRebalance(std::chrono::milliseconds patience) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
      while (!events_.empty()) {
        ConsumerEvent event = std::move(events_.front());
        events_.pop_front();
        if (event.type == ConsumerEvent::Type::kAssign || event.type == ConsumerEvent::Type::kRevoke)
          return event;
      }
      if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
    }
  }

  // Closes, answering revocations meanwhile.
  void Close() {
    std::thread closing([this] { EXPECT_TRUE(consumer_->Close(Cancellation()).ok()); });
    std::atomic<bool> closed{false};
    std::thread answering([this, &closed] {
      while (!closed) {
        const auto event = NextRebalance(std::chrono::milliseconds(20));
        if (event.has_value() && event->type == ConsumerEvent::Type::kRevoke) {
          EXPECT_TRUE(consumer_->Unassign(event->partitions).ok());
        }
      }
    });
    closing.join();
    closed = true;
    answering.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ConsumerEvent> events_;
  int strays_ = 0;
  std::shared_ptr<Consumer> consumer_;
};

inline std::vector<TopicPartitionOffset> At(const std::vector<TopicPartition>& partitions, int64_t offset) {
  std::vector<TopicPartitionOffset> offsets;
  for (const TopicPartition& each : partitions) offsets.push_back({each.topic, each.partition, offset, ""});
  return offsets;
}

// Polls a slot until `count` records have come.
inline std::vector<Record> ReadRecords(PartitionSlot* slot, size_t count, size_t capacity = 100,
                                       size_t arena_size = 1 << 20) {
  std::vector<Record> records;
  InBatch batch(capacity, arena_size);
  const bool came = Eventually([&] {
    const Result<int32_t> polled = slot->Poll(batch.View());
    EXPECT_TRUE(polled.ok()) << (polled.ok() ? "" : polled.status().message());
    for (int32_t i = 0; polled.ok() && i < polled.value(); i++)
      records.push_back(batch.At(static_cast<size_t>(i)));
    return records.size() >= count || !polled.ok();
  });
  EXPECT_TRUE(came) << "only " << records.size() << " of " << count << " records came";
  return records;
}

class KafkaTest : public testing::Test {
 protected:
  void SetUp() override {
    auto cluster = MockCluster::Start(2);
    ASSERT_TRUE(cluster.ok()) << cluster.status().message();
    cluster_ = std::move(cluster.value());
  }

  KafkaConfig ConsumerConfig(const std::string& assignor = "range", const std::string& group = "group") {
    return {{"bootstrap.servers", cluster_->BootstrapServers()},
            {"group.id", group},
            {"partition.assignment.strategy", assignor},
            {"session.timeout.ms", "6000"},
            {"heartbeat.interval.ms", "100"},
            {"fetch.queue.backoff.ms", "10"},
            // A broker answers one fetch after the other: a seek waits for the one under way.
            {"fetch.wait.max.ms", "10"},
            {"topic.metadata.refresh.fast.interval.ms", "10"}};
  }

  KafkaConfig ProducerConfig() {
    return {{"bootstrap.servers", cluster_->BootstrapServers()}, {"linger.ms", "5"}};
  }

  std::shared_ptr<Producer> NewProducer(const KafkaConfig& more = {}) {
    KafkaConfig config = ProducerConfig();
    for (const auto& [name, value] : more) config[name] = value;
    auto producer = Producer::Create(config, Cancellation());
    EXPECT_TRUE(producer.ok()) << (producer.ok() ? "" : producer.status().message());
    return producer.value();
  }

  // Produces and flushes; the producer's queue is large enough for all of them.
  void ProduceAll(Producer& producer, int topic, int32_t partition, const std::vector<Record>& records) {
    OutBatch batch(records.size());
    for (const Record& record : records) batch.Add(topic, partition, record);
    const Result<size_t> taken = producer.Produce(batch.View(), 0, batch.count());
    ASSERT_TRUE(taken.ok()) << taken.status().message();
    ASSERT_EQ(taken.value(), records.size());
    const Status flushed = producer.Flush(30'000);
    ASSERT_TRUE(flushed.ok()) << flushed.message();
  }

  std::unique_ptr<MockCluster> cluster_;
};

// Records named by their number: value "<prefix><i>".
inline std::vector<Record> NumberedRecords(size_t count, const std::string& prefix = "v", size_t from = 0) {
  std::vector<Record> records;
  for (size_t i = from; i < from + count; i++) {
    records.push_back({"k" + std::to_string(i), prefix + std::to_string(i), static_cast<int64_t>(i + 1)});
  }
  return records;
}

}  // namespace weir::test
