#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace weir {

class PartitionSlot;

// Makes the slots' seeks on a thread of its own and tells them when librdkafka has confirmed: a partition that has just been assigned
// may not have started yet, and is then asked again. One that librdkafka has stopped takes no seek. Without a group it is assigned
// anew; a group member's (un)assign calls are answers to rebalances and cannot be made in between, so there the seek fails.
//
// Threading: Add from any thread; Stop from the Consumer's owner. The thread starts with the first seek.
// Invariant: while `in_flight()` is locked, no seek is on its way to librdkafka. Whoever ends a slot holds it, or a seek of the old
// assignment could move the next one's position.
class Seeker {
 public:
  // `in_group` is true once the client has subscribed.
  Seeker(rd_kafka_t* client, const std::atomic<bool>& in_group) : client_(client), in_group_(in_group) {}
  ~Seeker() { Stop(); }
  Seeker(const Seeker&) = delete;
  Seeker& operator=(const Seeker&) = delete;

  // Makes slot->PendingSeek(), and again until it is made or taken back.
  void Add(std::shared_ptr<PartitionSlot> slot);
  std::mutex& in_flight() { return in_flight_; }
  // Idempotent; Add does nothing afterwards.
  void Stop();

 private:
  using Slots = std::vector<std::shared_ptr<PartitionSlot>>;

  void Run();
  // Returns the slots to ask again.
  Slots SeekAll(Slots slots);
  void Restart(PartitionSlot* slot, int64_t offset, uint64_t generation);

  rd_kafka_t* const client_;
  const std::atomic<bool>& in_group_;
  std::mutex in_flight_;  // taken before mutex_ and before a slot's mutex

  std::mutex mutex_;
  std::condition_variable changed_;
  Slots waiting_;  // guarded by mutex_, as is everything below
  std::thread thread_;
  bool stopped_ = false;
};

}  // namespace weir
