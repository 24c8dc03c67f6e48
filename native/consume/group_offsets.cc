#include "consume/group_offsets.h"

#include <map>

#include "common/kafka_handles.h"
#include "common/kafka_status.h"

namespace weir {

namespace {

constexpr int kPollTimeoutMs = 100;

// The first error of a partition of `list`.
Status FirstPartitionError(const rd_kafka_topic_partition_list_t* list, const std::string& what) {
  for (int i = 0; i < list->cnt; i++) {
    const rd_kafka_topic_partition_t& element = list->elems[i];
    if (element.err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    return KafkaStatus(element.err, what + " of " + Describe(element.topic, element.partition));
  }
  return Status::Ok();
}

}  // namespace

Result<std::vector<TopicPartitionOffset>> AskStableOffsets(const KafkaRequest& request,
                                                           const std::string& group,
                                                           const std::vector<TopicPartition>& partitions) {
  if (partitions.empty()) return std::vector<TopicPartitionOffset>();
  // As an administrator asks, which can be cancelled and says what is stable under every isolation level.
  Result<std::vector<TopicPartitionOffset>> answered =
      AskGroupOffsets(request, group, ToKafka(partitions).get(), true);
  if (!answered.ok()) return answered.status();
  std::map<TopicPartition, TopicPartitionOffset> by_partition;
  for (TopicPartitionOffset& each : answered.value()) {
    by_partition.emplace(TopicPartition{each.topic, each.partition}, std::move(each));
  }
  std::vector<TopicPartitionOffset> offsets;
  for (const TopicPartition& each : partitions) {
    const auto found = by_partition.find(each);
    offsets.push_back(found == by_partition.end() ? TopicPartitionOffset{each.topic, each.partition, -1, ""}
                                                  : found->second);
  }
  return offsets;
}

Status CommitOffsets(rd_kafka_t* client, const std::vector<TopicPartitionOffset>& offsets,
                     const std::function<bool()>& is_ending) {
  if (offsets.empty()) return Status::Ok();
  const KafkaQueueHandle answers(rd_kafka_queue_new(client));
  const Status status =
      KafkaStatus(rd_kafka_commit_queue(client, ToKafka(offsets).get(), answers.get(), nullptr, nullptr),
                  "Consumer: commit");
  if (!status.ok()) return status;
  while (!is_ending()) {
    const KafkaEventHandle event(rd_kafka_queue_poll(answers.get(), kPollTimeoutMs));
    if (event == nullptr) continue;
    // The partitions say more than the request does.
    const rd_kafka_topic_partition_list_t* list = rd_kafka_event_topic_partition_list(event.get());
    if (list != nullptr) {
      const Status partition_status = FirstPartitionError(list, "Consumer: commit");
      if (!partition_status.ok()) return partition_status;
    }
    return KafkaStatus(rd_kafka_event_error(event.get()), "Consumer: commit");
  }
  return Status::Closed("The consumer");
}

Result<std::pair<int64_t, int64_t>> AskWatermarks(const KafkaRequest& request,
                                                  const TopicPartition& partition,
                                                  rd_kafka_IsolationLevel_t isolation) {
  int64_t watermarks[2];
  for (const OffsetAt at : {OffsetAt::kEarliest, OffsetAt::kLatest}) {
    const auto offsets = AskOffsets(request, {partition}, at, isolation);
    if (!offsets.ok()) return offsets.status();
    watermarks[at == OffsetAt::kEarliest ? 0 : 1] = offsets.value().front().offset;
  }
  return std::make_pair(watermarks[0], watermarks[1]);
}

}  // namespace weir
