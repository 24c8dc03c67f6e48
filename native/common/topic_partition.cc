#include "common/topic_partition.h"

#include <cstdlib>
#include <cstring>

namespace weir {

std::string Describe(const std::string& topic, int32_t partition) {
  return topic + " [" + std::to_string(partition) + "]";
}

KafkaPartitionsHandle ToKafka(const std::vector<TopicPartition>& partitions) {
  KafkaPartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& each : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.partition);
  }
  return list;
}

KafkaPartitionsHandle ToKafka(const std::vector<TopicPartitionOffset>& offsets) {
  KafkaPartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const TopicPartitionOffset& each : offsets) {
    rd_kafka_topic_partition_t* element =
        rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.partition);
    element->offset = each.offset;
    if (each.metadata.empty()) continue;
    element->metadata = rd_kafka_mem_malloc(nullptr, each.metadata.size());  // freed with the list
    std::memcpy(element->metadata, each.metadata.data(), each.metadata.size());
    element->metadata_size = each.metadata.size();
  }
  return list;
}

std::vector<TopicPartition> PartitionsFromKafka(const rd_kafka_topic_partition_list_t* list) {
  std::vector<TopicPartition> partitions;
  if (list == nullptr) return partitions;
  partitions.reserve(static_cast<size_t>(list->cnt));
  for (int i = 0; i < list->cnt; i++) partitions.push_back({list->elems[i].topic, list->elems[i].partition});
  return partitions;
}

std::vector<TopicPartitionOffset> OffsetsFromKafka(const rd_kafka_topic_partition_list_t* list) {
  std::vector<TopicPartitionOffset> offsets;
  if (list == nullptr) return offsets;
  offsets.reserve(static_cast<size_t>(list->cnt));
  for (int i = 0; i < list->cnt; i++) {
    const rd_kafka_topic_partition_t& element = list->elems[i];
    std::string metadata;
    if (element.metadata != nullptr)
      metadata.assign(static_cast<const char*>(element.metadata), element.metadata_size);
    offsets.push_back(
        {element.topic, element.partition, element.offset < 0 ? -1 : element.offset, std::move(metadata)});
  }
  return offsets;
}

}  // namespace weir
