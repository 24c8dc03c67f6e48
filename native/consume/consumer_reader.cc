#include "consume/consumer_reader.h"

#include <algorithm>
#include <utility>

namespace weir {

Result<std::unique_ptr<ConsumerReader>> ConsumerReader::Create(std::shared_ptr<Consumer> consumer) {
  Result<std::shared_ptr<Waker>> waker = Waker::Create();
  if (!waker.ok()) return waker.status();
  return std::unique_ptr<ConsumerReader>(new ConsumerReader(std::move(consumer), std::move(waker.value())));
}

Result<int32_t> ConsumerReader::Open(const std::string& topic, int32_t partition, int64_t offset) {
  Result<std::shared_ptr<PartitionSlot>> slot = consumer_->FindSlot(topic, partition);
  if (!slot.ok()) return slot.status();
  const Status status = slot.value()->Open(waker_, offset);
  if (!status.ok()) return status;
  const auto free = std::find(slots_.begin(), slots_.end(), nullptr);
  const int32_t number = static_cast<int32_t>(free - slots_.begin());
  if (free == slots_.end()) {
    slots_.push_back(std::move(slot.value()));
  } else {
    *free = std::move(slot.value());
  }
  return number;
}

PartitionSlot* ConsumerReader::Slot(int64_t slot) const {
  if (slot < 0 || slot >= static_cast<int64_t>(slots_.size())) return nullptr;
  return slots_[static_cast<size_t>(slot)].get();
}

void ConsumerReader::Close(int64_t slot) {
  if (Slot(slot) == nullptr) return;
  slots_[static_cast<size_t>(slot)]->Close();
  slots_[static_cast<size_t>(slot)].reset();
}

void ConsumerReader::CloseAll() {
  for (size_t i = 0; i < slots_.size(); i++) Close(static_cast<int64_t>(i));
}

}  // namespace weir
