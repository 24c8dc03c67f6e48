#include "produce/produced_topic.h"

#include <utility>

#include "common/murmur2.h"

namespace weir {

ProducedTopic::ProducedTopic(int id, std::string name, int32_t partitions)
    : id_(id),
      name_(std::move(name)),
      random_(std::random_device{}()),
      delivered_(static_cast<size_t>(partitions)) {
  ForgetDelivered();
}

void ProducedTopic::ForgetDelivered() {
  for (std::atomic<int64_t>& offset : delivered_) offset.store(-1, std::memory_order_relaxed);
}

int32_t ProducedTopic::PartitionOf(std::string_view key) const {
  return (Murmur2(reinterpret_cast<const uint8_t*>(key.data()), key.size()) & 0x7fffffff) % partitions();
}

int32_t ProducedTopic::PartitionOfNullKey(size_t record_bytes) {
  if (sticky_bytes_ >= kStickyBytes) {
    sticky_bytes_ = 0;
    sticky_partition_ = static_cast<int32_t>(random_() % static_cast<uint32_t>(partitions()));
  }
  sticky_bytes_ += record_bytes;
  return sticky_partition_;
}

void ProducedTopic::Delivered(int32_t partition, int64_t offset) {
  if (partition < 0 || partition >= partitions()) return;
  std::atomic<int64_t>& highest = delivered_[static_cast<size_t>(partition)];
  if (offset + 1 > highest.load(std::memory_order_relaxed))
    highest.store(offset + 1, std::memory_order_release);
}

int64_t ProducedTopic::DeliveredOffset(int32_t partition) const {
  return delivered_[static_cast<size_t>(partition)].load(std::memory_order_acquire);
}

}  // namespace weir
