#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "common/status.h"

namespace weir {

// How much of a Producer's queue is taken, and who waits for room in it.
//
// Threading: CountTaken on the thread that produces, CountSettled on the delivery thread; the rest on any.
// Invariant: each function given to AddWaiter is called exactly once, by the TellWaiters that comes next.
class QueueRoom {
 public:
  QueueRoom() = default;
  QueueRoom(const QueueRoom&) = delete;
  QueueRoom& operator=(const QueueRoom&) = delete;

  // The queue has taken so much, and is full, or is not.
  void CountTaken(int64_t records, int64_t bytes, bool full);
  // What was taken has left the queue: `delivered` of the records, or failed.
  void CountSettled(int64_t records, int64_t delivered, int64_t bytes);

  // Nothing is queued any more, whatever became of it. REQUIRES: nothing is taken or settled meanwhile.
  void Reset();

  // False from when the queue was full until it is half empty.
  bool HasRoom() const { return taken_records_ - settled_records_ <= low_water_records_; }

  void AddWaiter(std::function<void(Status)> waiter);
  bool has_waiters() const { return has_waiters_; }
  // Calls all that wait, on this thread.
  void TellWaiters(const Status& status);

  struct Stats {
    int64_t queued_records;
    int64_t queued_bytes;
    int64_t delivered_records;
  };
  Stats GetStats() const;

 private:
  // Taken minus settled is what is queued; a settlement may be counted a moment before the batch that it belongs to.
  std::atomic<int64_t> taken_records_{0};
  std::atomic<int64_t> taken_bytes_{0};
  std::atomic<int64_t> settled_records_{0};
  std::atomic<int64_t> settled_bytes_{0};
  std::atomic<int64_t> delivered_records_{0};
  // After a full queue: there is room again when no more records than this are queued.
  std::atomic<int64_t> low_water_records_{INT64_MAX};

  std::mutex waiters_mutex_;
  std::vector<std::function<void(Status)>> waiters_;  // guarded by waiters_mutex_
  std::atomic<bool> has_waiters_{false};
};

}  // namespace weir
