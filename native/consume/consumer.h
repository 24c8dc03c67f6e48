#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/cancellation.h"
#include "common/kafka_config.h"
#include "common/kafka_handles.h"
#include "common/kafka_request.h"
#include "common/status.h"
#include "common/topic_partition.h"
#include "consume/consumer_event.h"
#include "consume/partition_slot.h"
#include "consume/seeker.h"

namespace weir {

// The process's librdkafka consumer: group membership, offsets, and a queue of its own for each assigned partition. Records are read
// through ConsumerReader.
//
// A rebalance waits until the owner has answered it by Assign or Unassign; librdkafka goes on only then.
//
//   event thread:  kAssign ──> owner: Assign(offsets) ──> readers: Open ... Poll
//                  kRevoke ──> owner: (readers: Close) ──> Unassign
//
// Ownership: held by shared_ptr: by the owner, by each reader, by calls under way. A registry finds it by id from other threads.
//
// Threading: Create, Subscribe, Assign, Unassign, GroupMetadata: the owner's thread; they return at once. Commit, Committed,
// QueryWatermarks and Close block and run on any other thread, also at the same time. FindSlot and Find: any thread. The event thread
// polls librdkafka's main queue all the time, which is what max.poll.interval.ms asks for: a stuck reader is for others to notice.
//
// Invariants:
//   1. A partition's queue is taken off the main queue before the partition is assigned; a record in the main queue is a kStray event.
//   2. Offsets are never stored or committed by librdkafka, and a position is never chosen by it.
//   3. An assigned partition has one slot in `slots_`; the slot has ended before librdkafka is told that the partition is given up.
//   4. librdkafka's client is destroyed after all slots have ended and with no call into it under way.
class Consumer {
 public:
  static Result<std::shared_ptr<Consumer>> Create(const KafkaConfig& config, ConsumerEventHandler on_event);
  // Null when there is none (any more).
  static std::shared_ptr<Consumer> Find(int64_t id);

  // As Abandon when Close was not called.
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  int64_t id() const { return id_; }

  // Without topics: leaves the group, a static member too, when the revocation that follows is answered. Before Close, which a static member does not leave by.
  Status Subscribe(const std::vector<std::string>& topics);
  // Every offset must be a real one, 0 or above.
  Status Assign(const std::vector<TopicPartitionOffset>& offsets);
  Status Unassign(const std::vector<TopicPartition>& partitions);

  // In the order of `partitions`, offset -1 where there is none. Stable ones: a partition with offsets in an open transaction fails
  // (UNSTABLE_OFFSET_COMMIT).
  Result<std::vector<TopicPartitionOffset>> Committed(const std::vector<TopicPartition>& partitions,
                                                      int timeout_ms, const Cancellation& cancellation);
  Status Commit(const std::vector<TopicPartitionOffset>& offsets, const Cancellation& cancellation);
  // The earliest and the end offset; `uncommitted`: also of what the client's isolation level does not show yet.
  Result<std::pair<int64_t, int64_t>> QueryWatermarks(const std::string& topic, int32_t partition,
                                                      int timeout_ms, bool uncommitted,
                                                      const Cancellation& cancellation);

  struct Membership {
    std::string member_id;
    int32_t generation;  // -1 when not a member
  };
  Result<Membership> GroupMetadata();

  // Leaves the group and destroys the client. Rebalances that were told have to be answered meanwhile, revocations are still told. Goes on as Abandon when
  // cancelled. Idempotent: a second call waits for the first.
  Status Close(const Cancellation& cancellation);
  // Leaves the group and destroys the client without asking the owner, within a few seconds also when no broker answers. Idempotent.
  void Abandon();

  // The slot of an assigned partition.
  Result<std::shared_ptr<PartitionSlot>> FindSlot(const std::string& topic, int32_t partition);

 private:
  using Slots = std::map<TopicPartition, std::shared_ptr<PartitionSlot>>;

  Consumer(KafkaClientHandle client, std::string group, rd_kafka_IsolationLevel_t isolation,
           ConsumerEventHandler on_event);

  // REQUIRES: lifetime_ held while the request, or the function, is in use.
  KafkaRequest Request(const std::string& what, int timeout_ms, const Cancellation& cancellation) const;
  std::function<bool()> IsEnding(const Cancellation& cancellation) const;

  void RunEvents();
  void Handle(rd_kafka_event_t* event);
  void HandleRebalance(rd_kafka_event_t* event);
  void HandleError(rd_kafka_event_t* event);
  // Returns false when there is nothing to wait for.
  bool BeginClose();
  // Answers an open rebalance by giving everything up. REQUIRES: the close has begun, or the rebalance has failed: only then does
  // librdkafka take this under every protocol. A client with an open rebalance cannot be destroyed; it would wait for ever.
  void GiveUpAll();
  // Closed when librdkafka's group handler has ended.
  Result<bool> IsEager() const;
  void Leave(const Cancellation& cancellation);
  void Destroy();

  const int64_t id_;
  const std::string group_;
  const rd_kafka_IsolationLevel_t isolation_;
  const ConsumerEventHandler on_event_;
  // Held shared by calls into librdkafka, exclusively to destroy it.
  std::shared_mutex lifetime_;
  KafkaClientHandle client_;  // null once closed; guarded by lifetime_
  KafkaQueueHandle queue_;    // librdkafka's main queue
  std::unique_ptr<Seeker> seeker_;

  // Taken before the seeker's and the slots' mutexes.
  std::mutex group_mutex_;
  bool unanswered_ = false;  // a rebalance was told and not answered; guarded by group_mutex_

  std::mutex slots_mutex_;
  Slots slots_;  // guarded by slots_mutex_

  bool close_begun_ = false;  // of the event thread
  std::atomic<bool> subscribed_{false};
  std::atomic<bool> leaving_{false};  // the event thread leaves the group, then ends
  std::atomic<bool> alone_{false};    // nobody answers rebalances any more: the event thread does
  std::atomic<bool> events_ended_{false};
  std::mutex closing_;  // one Close or Abandon at a time
  std::thread events_;
};

}  // namespace weir
