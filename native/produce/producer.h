#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/cancellation.h"
#include "common/kafka_config.h"
#include "common/kafka_handles.h"
#include "common/status.h"
#include "produce/failed_deliveries.h"
#include "produce/produce_batch.h"
#include "produce/produced_record.h"
#include "produce/produced_topic.h"
#include "produce/queue_room.h"
#include "produce/transactions.h"
#include "state/changelog_sink.h"

namespace weir {

// One stream thread's librdkafka producer: idempotent, acks=all. Delivery reports are taken by a native thread, which counts them,
// keeps the highest offset of each partition and the first error. With a transactional.id all that it produces is part of a transaction
// (producer_transactions.cc; the order of calls is librdkafka's):
//
//   InitTransactions -> { BeginTransaction -> Produce, Append, Flush -> SendOffsets -> CommitTransaction | AbortTransaction }*
//                 ^                                                                              │ fatal
//                 └───────────────────────────────── Restart <───────────────────────────────────┘
//
//   Produce, Append ──> librdkafka's queue ──> broker ──> delivery thread: offsets, counts, first error
//         ^                                                     │
//         └──────────────── OnWritable: the queue is half empty ┘
//
// Ownership: held by shared_ptr: by the JS object and by calls under way.
// Threading: Topic, Produce and Append: one thread at a time, with a happens-before between them (the owner's, or a native thread that
// the owner waits for). Flush and the calls of a transaction block: not the owner's thread, one at a time. The rest: any thread.
// Invariants:
//   1. A record that was taken is delivered, or FirstError says why not, or TakeFailures has it; librdkafka keeps a partition's order (idempotence).
//   2. When a flush has succeeded, DeliveredOffset covers everything taken before it.
//   3. Each function given to OnWritable is called exactly once.
class Producer final : public ChangelogSink {
 public:
  // `owner` is cancelled when the owner's thread ends: what waits then returns Closed.
  static Result<std::shared_ptr<Producer>> Create(const KafkaConfig& config, const Cancellation& owner);
  // As Close.
  ~Producer() override;
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // Registers a topic with its number of partitions; a topic registered before keeps its id. Ids count up from 0. With `keeps_failures`,
  // from now on, a record of it that a broker refuses is kept for TakeFailures, not in a transaction and as far as there is room.
  Result<int> Topic(const std::string& name, int64_t partitions, bool keeps_failures = false);

  // Hands over records `from` to `count` - 1. Returns the index after the last one taken: less than `count` when the queue is full.
  // A record that can never be taken is a failure that names it; those before it were taken.
  // REQUIRES: from <= count <= batch.capacity.
  Result<size_t> Produce(const ProduceBatch& batch, size_t from, size_t count);

  // Calls `done` when the queue has room again, at once when it has; with Closed when the producer is closed first. On the delivery
  // thread or within the call: must not block and must not call the producer.
  void OnWritable(std::function<void(Status)> done);

  // Waits until all that was taken is delivered. Returns the first delivery error, _TIMED_OUT, or Closed.
  Status Flush(int64_t timeout_ms);

  // What was refused since the last call, of topics that keep failures: nobody else tells of it. All of a batch that was flushed is among them
  // when Flush has returned.
  std::vector<FailedDelivery> TakeFailures() { return failures_.Take(); }

  // Of a transaction, as produce/transactions.h says; Closed when the owner goes meanwhile.
  Status InitTransactions(int64_t timeout_ms);
  Status BeginTransaction();
  Status SendOffsets(const std::vector<TopicPartitionOffset>& offsets, const GroupMember& member,
                     int64_t timeout_ms);
  // As the next one: may take some seconds longer.
  Status CommitTransaction(int64_t timeout_ms);
  // What was produced since BeginTransaction is dropped, and the first error with it.
  Status AbortTransaction(int64_t timeout_ms);
  // Begins anew with another client: drops what is not delivered, and every offset and error known. Topics keep their ids.
  Status Restart();

  using Stats = QueueRoom::Stats;
  Stats GetStats() const { return room_.GetStats(); }

  // Drops what is not delivered and destroys the client. Idempotent; waits for a call that is under way.
  void Close();

  // ChangelogSink.
  int TopicId(const std::string& name) const override;
  Status Append(int topic, int32_t partition, std::string_view key, std::optional<std::string_view> value,
                std::string_view headers, int64_t timestamp_ms) override;
  // REQUIRES: the topic is registered and has the partition.
  int64_t DeliveredOffset(int topic, int32_t partition) const override;
  Status FirstError() const override;

  // Null when no topic has that id.
  const ProducedTopic* FindTopic(int64_t id) const;

 private:
  enum class Taken { kYes, kQueueFull };

  Producer(KafkaConfig config, const Cancellation& owner);

  // A client with the delivery thread. REQUIRES: there is none; lifetime_ held exclusively, or nobody else knows the producer.
  Status Open();
  // REQUIRES: lifetime_ held exclusively.
  void Shut();
  // REQUIRES: lifetime_ held.
  void Purge();
  Status RegisterTopic(ProducedTopic& topic);
  // Calls again what goes on after a time-out, for `call_ms` each time, until it ends, `timeout_ms` have passed or the owner goes.
  Status Resume(int64_t timeout_ms, int64_t call_ms, const std::function<Status(rd_kafka_t*, int)>& call);

  // REQUIRES: lifetime_ held.
  Result<Taken> ProduceOne(ProducedTopic& topic, int32_t partition, const ProducedRecord& record);
  Status Refused(rd_kafka_error_t* error, const ProducedTopic& topic, int32_t partition,
                 const ProducedRecord& record);
  Status WaitForRoom();

  // The first error, or the fatal one that made deliveries fail and may be told after them. REQUIRES: lifetime_ held.
  Status WhyUndelivered() const;
  void RunDeliveries();
  void HandleDeliveries(rd_kafka_event_t* event);
  void KeepFirstError(const Status& error);
  // Its error is told by TakeFailures, or by FirstError.
  void HandleFailure(const rd_kafka_message_t* message);

  const KafkaConfig config_;
  const Cancellation owner_;
  int64_t record_bytes_max_ = 0;  // message.max.bytes
  int64_t queue_bytes_max_ = 0;   // queue.buffering.max.kbytes
  bool transactional_ = false;

  // Held shared by calls into librdkafka, exclusively to destroy it.
  mutable std::shared_mutex lifetime_;
  KafkaClientHandle client_;                            // null once closed; guarded by lifetime_
  KafkaQueueHandle queue_;                              // the delivery reports
  std::vector<std::unique_ptr<ProducedTopic>> topics_;  // by id; also librdkafka's topic opaques
  std::atomic<bool> closed_{false};                     // takes nothing any more
  std::atomic<bool> stopped_{false};                    // the delivery thread ends
  std::thread deliveries_;

  QueueRoom room_;

  mutable std::mutex first_error_mutex_;
  Status first_error_;  // guarded by first_error_mutex_
  std::atomic<bool> failed_{false};

  FailedDeliveries failures_;
};

}  // namespace weir
