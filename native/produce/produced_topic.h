#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/kafka_handles.h"

namespace weir {

// A topic that a Producer writes to: librdkafka's handle, the choice of a partition, the highest delivered offsets.
//
// Threading: KeepFailures and keeps_failures on any thread. ForgetDelivered while nothing is delivered. PartitionOf on the thread that produces. Delivered on the delivery thread; DeliveredOffset on any.
class ProducedTopic {
 public:
  // `id`: the producer's.
  ProducedTopic(int id, std::string name, int32_t partitions);
  ProducedTopic(const ProducedTopic&) = delete;
  ProducedTopic& operator=(const ProducedTopic&) = delete;

  int id() const { return id_; }
  const std::string& name() const { return name_; }
  int32_t partitions() const { return static_cast<int32_t>(delivered_.size()); }
  rd_kafka_topic_t* handle() const { return handle_.get(); }
  void set_handle(KafkaTopicHandle handle) { handle_ = std::move(handle); }

  // Kafka's default partitioner: murmur2 of the key.
  int32_t PartitionOf(std::string_view key) const;
  // A null key's: one partition at random until it has got kStickyBytes, then another (KIP-794's uniform sticky partitioner, which
  // fills whole batches).
  int32_t PartitionOfNullKey(size_t record_bytes);

  // Records of it that are refused are kept, from now on.
  void KeepFailures() { keeps_failures_ = true; }
  bool keeps_failures() const { return keeps_failures_; }

  void Delivered(int32_t partition, int64_t offset);
  // The highest delivered offset + 1, -1 when none.
  int64_t DeliveredOffset(int32_t partition) const;
  void ForgetDelivered();

 private:
  static constexpr size_t kStickyBytes = 16 << 10;

  const int id_;
  const std::string name_;
  KafkaTopicHandle handle_;
  std::atomic<bool> keeps_failures_{false};
  std::minstd_rand random_;
  int32_t sticky_partition_ = 0;
  size_t sticky_bytes_ = kStickyBytes;
  std::vector<std::atomic<int64_t>> delivered_;  // by partition: offset + 1, -1 when none
};

}  // namespace weir
