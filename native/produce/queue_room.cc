#include "produce/queue_room.h"

#include <algorithm>
#include <utility>

namespace weir {

void QueueRoom::CountTaken(int64_t records, int64_t bytes, bool full) {
  const int64_t taken = taken_records_.fetch_add(records) + records;
  taken_bytes_.fetch_add(bytes);
  if (full) {
    low_water_records_ = std::max<int64_t>(0, taken - settled_records_) / 2;
  } else if (low_water_records_ != INT64_MAX) {
    low_water_records_ = INT64_MAX;
  }
}

void QueueRoom::CountSettled(int64_t records, int64_t delivered, int64_t bytes) {
  delivered_records_ += delivered;
  settled_bytes_ += bytes;
  settled_records_ += records;
}

void QueueRoom::Reset() {
  settled_records_.store(taken_records_);
  settled_bytes_.store(taken_bytes_);
  low_water_records_ = INT64_MAX;
}

void QueueRoom::AddWaiter(std::function<void(Status)> waiter) {
  std::lock_guard<std::mutex> lock(waiters_mutex_);
  waiters_.push_back(std::move(waiter));
  has_waiters_ = true;
}

void QueueRoom::TellWaiters(const Status& status) {
  std::vector<std::function<void(Status)>> waiters;
  {
    std::lock_guard<std::mutex> lock(waiters_mutex_);
    waiters.swap(waiters_);
    has_waiters_ = false;
  }
  for (const auto& waiter : waiters) waiter(status);
}

QueueRoom::Stats QueueRoom::GetStats() const {
  // Settled first: a record may be settled before it is counted as taken, and the difference must not grow meanwhile.
  const int64_t settled_records = settled_records_;
  const int64_t settled_bytes = settled_bytes_;
  return {std::max<int64_t>(0, taken_records_ - settled_records),
          std::max<int64_t>(0, taken_bytes_ - settled_bytes), delivered_records_};
}

}  // namespace weir
