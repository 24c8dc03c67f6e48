#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/status.h"
#include "consume/consumer.h"
#include "consume/partition_slot.h"
#include "consume/waker.h"

namespace weir {

// One thread's access to the records of the process's Consumer: the partitions it has open, by slot number, and the descriptor that
// says when one of them has records again.
//
// Ownership: holds the Consumer and its slots by shared_ptr; a slot whose assignment has ended polls as empty until it is closed.
// Threading: one thread.
class ConsumerReader {
 public:
  static Result<std::unique_ptr<ConsumerReader>> Create(std::shared_ptr<Consumer> consumer);
  ~ConsumerReader() { CloseAll(); }
  ConsumerReader(const ConsumerReader&) = delete;
  ConsumerReader& operator=(const ConsumerReader&) = delete;

  // Returns the slot's number, 0 or above; numbers of closed slots are used again.
  Result<int32_t> Open(const std::string& topic, int32_t partition, int64_t offset);
  // Null when no such slot is open.
  PartitionSlot* Slot(int64_t slot) const;
  void Close(int64_t slot);
  void CloseAll();

  // Readable when a slot that was found empty has records. Shared, since an event loop lets go of a descriptor later than its user does.
  const std::shared_ptr<Waker>& waker() const { return waker_; }

 private:
  ConsumerReader(std::shared_ptr<Consumer> consumer, std::shared_ptr<Waker> waker)
      : consumer_(std::move(consumer)), waker_(std::move(waker)) {}

  const std::shared_ptr<Consumer> consumer_;
  const std::shared_ptr<Waker> waker_;
  std::vector<std::shared_ptr<PartitionSlot>> slots_;  // null where closed
};

}  // namespace weir
