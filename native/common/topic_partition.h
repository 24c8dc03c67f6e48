#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/kafka_handles.h"

namespace weir {

struct TopicPartition {
  std::string topic;
  int32_t partition;

  friend bool operator<(const TopicPartition& a, const TopicPartition& b) {
    return a.partition != b.partition ? a.partition < b.partition : a.topic < b.topic;
  }
  friend bool operator==(const TopicPartition& a, const TopicPartition& b) {
    return a.partition == b.partition && a.topic == b.topic;
  }
};

struct TopicPartitionOffset {
  std::string topic;
  int32_t partition;
  // The next offset to read.
  int64_t offset;
  std::string metadata;
};

// "topic [partition]", as error messages name it.
std::string Describe(const std::string& topic, int32_t partition);

KafkaPartitionsHandle ToKafka(const std::vector<TopicPartition>& partitions);
KafkaPartitionsHandle ToKafka(const std::vector<TopicPartitionOffset>& offsets);
std::vector<TopicPartition> PartitionsFromKafka(const rd_kafka_topic_partition_list_t* list);
// An offset that librdkafka does not have (logical offsets) is -1.
std::vector<TopicPartitionOffset> OffsetsFromKafka(const rd_kafka_topic_partition_list_t* list);

}  // namespace weir
