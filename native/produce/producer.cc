#include "produce/producer.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "common/kafka_status.h"
#include "common/thread_pool.h"
#include "common/topic_partition.h"
#include "produce/headers_decoder.h"

namespace weir {

namespace {

constexpr int kPollTimeoutMs = 100;
// A purge settles what is queued at once, and what is in flight as soon as the broker thread sees it.
constexpr int kPurgeTimeoutMs = 1000;
constexpr int64_t kPartitionsMax = 1 << 20;

Status ClosedProducer() { return Status::Closed("The producer"); }

// What librdkafka drops itself is no delivery's failure: a transaction has failed by then, and its next call tells why.
bool IsPurged(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__PURGE_QUEUE || error == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

}  // namespace

Result<std::shared_ptr<Producer>> Producer::Create(const KafkaConfig& config, const Cancellation& owner) {
  std::shared_ptr<Producer> producer(new Producer(config, owner));
  const Status opened = producer->Open();
  if (!opened.ok()) return opened;
  return producer;
}

Producer::Producer(KafkaConfig config, const Cancellation& owner)
    : config_(std::move(config)), owner_(owner) {}

Status Producer::Open() {
  Result<KafkaConfHandle> conf = BuildKafkaConf(config_, {{"enable.idempotence", "true"}, {"acks", "all"}});
  if (!conf.ok()) return conf.status();
  rd_kafka_conf_t* raw = conf.value().get();
  rd_kafka_conf_set_events(raw, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  transactional_ = config_.count("transactional.id") > 0;
  record_bytes_max_ = KafkaConfInteger(raw, "message.max.bytes");
  queue_bytes_max_ = KafkaConfInteger(raw, "queue.buffering.max.kbytes") * 1024;
  Result<KafkaClientHandle> client = NewKafkaClient(RD_KAFKA_PRODUCER, std::move(conf.value()));
  if (!client.ok()) return client.status();
  client_ = std::move(client.value());
  queue_.reset(rd_kafka_queue_get_main(client_.get()));
  stopped_ = false;
  deliveries_ = std::thread([this] { RunDeliveries(); });
  for (const auto& topic : topics_) {
    const Status registered = RegisterTopic(*topic);
    if (!registered.ok()) return registered;
  }
  return Status::Ok();
}

Producer::~Producer() { Close(); }

Result<int> Producer::Topic(const std::string& name, int64_t partitions, bool keeps_failures) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (closed_) return ClosedProducer();
  if (name.empty() || partitions < 1 || partitions > kPartitionsMax) {
    return Status::Invalid("Producer.topic: a topic needs a name and 1 to " + std::to_string(kPartitionsMax) +
                           " partitions");
  }
  const int known = TopicId(name);
  if (known >= 0) {
    const int32_t known_partitions = topics_[static_cast<size_t>(known)]->partitions();
    if (known_partitions == partitions) {
      if (keeps_failures) topics_[static_cast<size_t>(known)]->KeepFailures();
      return known;
    }
    return Status::Invalid("Producer.topic: " + name + " was registered with " +
                           std::to_string(known_partitions) + " partitions, not " +
                           std::to_string(partitions));
  }
  const int id = static_cast<int>(topics_.size());
  auto topic = std::make_unique<ProducedTopic>(id, name, static_cast<int32_t>(partitions));
  if (keeps_failures) topic->KeepFailures();
  const Status registered = RegisterTopic(*topic);
  if (!registered.ok()) return registered;
  topics_.push_back(std::move(topic));
  return id;
}

Status Producer::RegisterTopic(ProducedTopic& topic) {
  KafkaTopicConfHandle conf(rd_kafka_default_topic_conf_dup(client_.get()));
  rd_kafka_topic_conf_set_opaque(conf.get(), &topic);
  topic.set_handle(KafkaTopicHandle(rd_kafka_topic_new(client_.get(), topic.name().c_str(), conf.get())));
  if (topic.handle() == nullptr) {
    return KafkaStatus(rd_kafka_last_error(), "Producer.topic: " + topic.name());
  }
  (void)conf.release();
  return Status::Ok();
}

Result<size_t> Producer::Produce(const ProduceBatch& batch, size_t from, size_t count) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (closed_) return ClosedProducer();
  int64_t bytes = 0;
  size_t i = from;
  bool full = false;
  Status failure;
  for (; i < count; i++) {
    const int32_t topic_id = batch.topic[i];
    if (topic_id < 0 || static_cast<size_t>(topic_id) >= topics_.size()) {
      failure = Status::Invalid(RecordOfBatch(i) + " names topic " + std::to_string(topic_id) +
                                ", which is not registered");
      break;
    }
    ProducedTopic& topic = *topics_[static_cast<size_t>(topic_id)];
    const Result<ProducedRecord> read = ReadRecord(batch, i, topic.name());
    if (!read.ok()) {
      failure = read.status();
      break;
    }
    const ProducedRecord& record = read.value();
    const Result<Taken> taken = ProduceOne(topic, batch.partition[i], record);
    if (taken.ok() && taken.value() == Taken::kYes) {
      bytes += static_cast<int64_t>(record.size());
      continue;
    }
    if (record.headers != nullptr) rd_kafka_headers_destroy(record.headers);
    full = taken.ok();
    if (!taken.ok()) failure = taken.status();
    break;
  }
  room_.CountTaken(static_cast<int64_t>(i - from), bytes, full);
  if (!failure.ok()) return failure;
  return i;
}

void Producer::OnWritable(std::function<void(Status)> done) {
  room_.AddWaiter(std::move(done));
  // Looked at after the waiter is known: the delivery thread looks the other way round, so one of the two sees the other.
  if (closed_) {
    room_.TellWaiters(ClosedProducer());
  } else if (room_.HasRoom()) {
    room_.TellWaiters(Status::Ok());
  }
}

Status Producer::Flush(int64_t timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    if (closed_ || owner_.cancelled()) return ClosedProducer();
    const Status error = WhyUndelivered();
    if (!error.ok()) return error;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())
            .count();
    const int wait_ms = static_cast<int>(std::clamp<int64_t>(left, 0, kPollTimeoutMs));
    if (rd_kafka_flush(client_.get(), wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      // A close empties the queue too, by dropping it.
      return closed_ ? ClosedProducer() : WhyUndelivered();
    }
    if (left <= 0) {
      return KafkaStatus(RD_KAFKA_RESP_ERR__TIMED_OUT, "Producer.flush",
                         std::to_string(room_.GetStats().queued_records) +
                             " records were not delivered within " + std::to_string(timeout_ms) + " ms");
    }
  }
}

Status Producer::WhyUndelivered() const {
  const Status error = FirstError();
  if (error.ok()) return error;
  const Status fatal = FatalKafkaStatus(client_.get(), "Producer.flush");
  return fatal.ok() ? error : fatal;
}

void Producer::Close() {
  if (!closed_.exchange(true)) {
    std::shared_lock<std::shared_mutex> lock(lifetime_);
    Purge();
  }
  std::unique_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return;
  Shut();
  room_.TellWaiters(ClosedProducer());
}

void Producer::Purge() {
  if (client_ == nullptr) return;
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_.get(), kPurgeTimeoutMs);
}

void Producer::Shut() {
  stopped_ = true;
  rd_kafka_queue_yield(queue_.get());
  deliveries_.join();
  queue_.reset();
  for (const auto& topic : topics_) topic->set_handle(nullptr);
  client_.reset();
}

int Producer::TopicId(const std::string& name) const {
  for (size_t i = 0; i < topics_.size(); i++) {
    if (topics_[i]->name() == name) return static_cast<int>(i);
  }
  return -1;
}

Status Producer::Append(int topic_id, int32_t partition, std::string_view key,
                        std::optional<std::string_view> value, std::string_view headers,
                        int64_t timestamp_ms) {
  ProducedTopic& topic = *topics_[static_cast<size_t>(topic_id)];
  ProducedRecord record{key.data() == nullptr ? "" : key.data(),
                        key.size(),
                        !value.has_value() ? nullptr : (value->data() == nullptr ? "" : value->data()),
                        value.has_value() ? value->size() : 0,
                        timestamp_ms,
                        nullptr};
  while (true) {
    {
      std::shared_lock<std::shared_mutex> lock(lifetime_);
      if (closed_) return ClosedProducer();
      // Taken with the record; made again for each try.
      if (!headers.empty()) {
        record.headers = DecodeHeaders(reinterpret_cast<const uint8_t*>(headers.data()), headers.size());
        if (record.headers == nullptr)
          return Status::Invalid("Headers for " + topic.name() + " cannot be decoded");
      }
      const Result<Taken> taken = ProduceOne(topic, partition, record);
      const bool is_taken = taken.ok() && taken.value() == Taken::kYes;
      if (record.headers != nullptr && !is_taken) rd_kafka_headers_destroy(record.headers);
      if (!taken.ok()) return taken.status();
      const bool full = taken.value() == Taken::kQueueFull;
      room_.CountTaken(full ? 0 : 1, full ? 0 : static_cast<int64_t>(record.size()), full);
      if (!full) return Status::Ok();
    }
    const Status status = WaitForRoom();
    if (!status.ok()) return status;
  }
}

int64_t Producer::DeliveredOffset(int topic, int32_t partition) const {
  return topics_[static_cast<size_t>(topic)]->DeliveredOffset(partition);
}

Status Producer::FirstError() const {
  if (!failed_.load(std::memory_order_acquire)) return Status::Ok();
  std::lock_guard<std::mutex> lock(first_error_mutex_);
  return first_error_;
}

const ProducedTopic* Producer::FindTopic(int64_t id) const {
  if (id < 0 || id >= static_cast<int64_t>(topics_.size())) return nullptr;
  return topics_[static_cast<size_t>(id)].get();
}

Result<Producer::Taken> Producer::ProduceOne(ProducedTopic& topic, int32_t partition,
                                             const ProducedRecord& record) {
  if (partition < 0) {
    partition = record.key == nullptr
                    ? topic.PartitionOfNullKey(record.size())
                    : topic.PartitionOf({static_cast<const char*>(record.key), record.key_size});
  } else if (partition >= topic.partitions()) {
    return Status::Invalid("Producer.produce: " + Describe(topic.name(), partition) +
                           " does not exist: the topic has " + std::to_string(topic.partitions()) +
                           " partitions");
  }
  rd_kafka_error_t* error = HandOver(client_.get(), topic.handle(), partition, record);
  if (error == nullptr) return Taken::kYes;
  const bool could_fit = static_cast<int64_t>(record.size()) <= queue_bytes_max_;
  if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL && could_fit) {
    rd_kafka_error_destroy(error);
    return Taken::kQueueFull;
  }
  return Refused(error, topic, partition, record);
}

Status Producer::Refused(rd_kafka_error_t* error, const ProducedTopic& topic, int32_t partition,
                         const ProducedRecord& record) {
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  const std::string where = "Producer.produce: a record for " + Describe(topic.name(), partition);
  Status status;
  if (code == RD_KAFKA_RESP_ERR__FATAL) status = FatalKafkaStatus(client_.get(), where);
  if (status.ok() &&
      (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR__QUEUE_FULL)) {
    const bool by_queue = code == RD_KAFKA_RESP_ERR__QUEUE_FULL;
    status = KafkaStatus(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, where,
                         "it has " + std::to_string(record.size()) + " bytes (without headers), more than " +
                             (by_queue ? "the whole queue holds (queue.buffering.max.kbytes, "
                                       : "allowed (message.max.bytes, ") +
                             std::to_string(by_queue ? queue_bytes_max_ : record_bytes_max_) + " bytes)");
  }
  if (status.ok()) status = KafkaStatus(error, where);
  rd_kafka_error_destroy(error);
  return status;
}

Status Producer::WaitForRoom() {
  auto room = std::make_shared<std::promise<Status>>();
  std::future<Status> told = room->get_future();
  OnWritable([room](Status status) { room->set_value(std::move(status)); });
  while (told.wait_for(std::chrono::milliseconds(kPollTimeoutMs)) != std::future_status::ready) {
    if (owner_.cancelled()) return ClosedProducer();
  }
  return told.get();
}

void Producer::RunDeliveries() {
  SetThreadName("weir-delivery");
  while (true) {
    const bool last = stopped_;
    const KafkaEventHandle event(rd_kafka_queue_poll(queue_.get(), last ? 0 : kPollTimeoutMs));
    if (event == nullptr) {
      if (last) return;
    } else if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR) {
      HandleDeliveries(event.get());
    } else if (rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR__FATAL) {
      KeepFirstError(FatalKafkaStatus(client_.get(), "Producer"));
    }
  }
}

void Producer::HandleDeliveries(rd_kafka_event_t* event) {
  int64_t records = 0;
  int64_t delivered = 0;
  int64_t bytes = 0;
  while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
    records++;
    bytes += static_cast<int64_t>(message->key_len + message->len);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      delivered++;
      static_cast<ProducedTopic*>(rd_kafka_topic_opaque(message->rkt))
          ->Delivered(message->partition, message->offset);
    } else if (!closed_ && !IsPurged(message->err)) {
      HandleFailure(message);
    }
  }
  room_.CountSettled(records, delivered, bytes);
  if (room_.has_waiters() && room_.HasRoom()) room_.TellWaiters(closed_ ? ClosedProducer() : Status::Ok());
}

void Producer::HandleFailure(const rd_kafka_message_t* message) {
  const char* reason = rd_kafka_message_produce_errstr(message);
  const Status error = KafkaStatus(
      message->err, "Delivery to " + Describe(rd_kafka_topic_name(message->rkt), message->partition),
      reason == nullptr ? rd_kafka_err2str(message->err) : reason);
  // librdkafka aborts a transaction of which a record has failed.
  const auto* topic = static_cast<const ProducedTopic*>(rd_kafka_topic_opaque(message->rkt));
  const bool may_keep =
      !transactional_ && topic->keeps_failures() && FailedDeliveries::IsOfRecord(message->err);
  if (may_keep && failures_.Keep(topic->id(), message, error)) return;
  KeepFirstError(error);
}

void Producer::KeepFirstError(const Status& error) {
  std::lock_guard<std::mutex> lock(first_error_mutex_);
  if (failed_ || error.ok()) return;
  first_error_ = error;
  failed_.store(true, std::memory_order_release);
}

}  // namespace weir
