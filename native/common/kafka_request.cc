#include "common/kafka_request.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "common/kafka_status.h"

namespace weir {

namespace {

constexpr int kPollTimeoutMs = 100;
// Beyond the request's own time-out: the event comes a moment later than that.
constexpr int kGraceMs = 1000;
// librdkafka allows no more than an hour.
constexpr int kTimeoutMaxMs = 3600 * 1000;
// How long a question may take longer because a leader has moved.
constexpr int kLeadersTimeoutMs = 2'000;
constexpr auto kRetryDelay = std::chrono::milliseconds(100);

// How long librdkafka may take by itself. A request for a group's coordinator must not time out in there: when the coordinator is found after that,
// librdkafka (2.15.1) answers for a request that is gone, and an assertion ends the process. Who asks has stopped waiting by then.
int LibraryTimeoutMs(rd_kafka_admin_op_t operation, int timeout_ms) {
  switch (operation) {
    case RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS:
    case RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS:
    case RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS:
    case RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS:
    case RD_KAFKA_ADMIN_OP_DELETEGROUPS:
      return kTimeoutMaxMs;
    default:
      return std::min(timeout_ms, kTimeoutMaxMs);
  }
}

using GroupOffsetsHandle =
    KafkaHandle<rd_kafka_ListConsumerGroupOffsets_t, rd_kafka_ListConsumerGroupOffsets_destroy>;

// A coordinator that is moving or loading passes by itself.
bool IsCoordinatorMoving(const Status& status) {
  for (const rd_kafka_resp_err_t error :
       {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR}) {
    if (status.code() == std::string("kafka:") + rd_kafka_err2name(error)) return true;
  }
  return false;
}

Result<std::vector<TopicPartitionOffset>> AskGroupOffsetsOnce(
    const KafkaRequest& request, const std::string& group, const rd_kafka_topic_partition_list_t* partitions,
    bool stable) {
  const GroupOffsetsHandle group_offsets(rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), partitions));
  rd_kafka_ListConsumerGroupOffsets_t* groups_asked[] = {group_offsets.get()};
  const Result<KafkaEventHandle> event = AskKafka(
      request, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
      [&](rd_kafka_t* client, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
        rd_kafka_ListConsumerGroupOffsets(client, groups_asked, 1, options, queue);
      },
      [stable](rd_kafka_AdminOptions_t* options) {
        return rd_kafka_AdminOptions_set_require_stable_offsets(options, stable ? 1 : 0);
      });
  if (!event.ok()) return event.status();
  size_t count;
  const rd_kafka_group_result_t** groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event.value().get()), &count);
  std::vector<TopicPartitionOffset> offsets;
  for (size_t i = 0; i < count; i++) {
    const rd_kafka_error_t* error = rd_kafka_group_result_error(groups[i]);
    if (error != nullptr && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) continue;
    const Status status = KafkaStatus(error, request.what);
    if (!status.ok()) return status;
    const rd_kafka_topic_partition_list_t* list = rd_kafka_group_result_partitions(groups[i]);
    for (int j = 0; j < list->cnt; j++) {
      const Status partition_status = KafkaStatus(
          list->elems[j].err, request.what + ": " + Describe(list->elems[j].topic, list->elems[j].partition));
      if (!partition_status.ok()) return partition_status;
    }
    for (TopicPartitionOffset& offset : OffsetsFromKafka(list)) offsets.push_back(std::move(offset));
  }
  return offsets;
}

}  // namespace

Result<KafkaEventHandle> AskKafka(const KafkaRequest& request, rd_kafka_admin_op_t operation,
                                  const SendKafkaRequest& send, const ChangeAdminOptions& change_options) {
  const KafkaAdminOptionsHandle options(rd_kafka_AdminOptions_new(request.client, operation));
  char reason[512];
  Status status =
      KafkaStatus(rd_kafka_AdminOptions_set_request_timeout(
                      options.get(), LibraryTimeoutMs(operation, request.timeout_ms), reason, sizeof(reason)),
                  request.what, reason);
  if (status.ok() && change_options) status = TakeKafkaStatus(change_options(options.get()), request.what);
  if (!status.ok()) return status;

  const KafkaQueueHandle queue(rd_kafka_queue_new(request.client));
  send(request.client, options.get(), queue.get());
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(int64_t{request.timeout_ms} + kGraceMs);
  while (!request.is_ending()) {
    KafkaEventHandle event(rd_kafka_queue_poll(queue.get(), kPollTimeoutMs));
    if (event != nullptr) {
      status = KafkaStatus(event.get(), request.what);
      if (!status.ok()) return status;
      return event;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return KafkaStatus(RD_KAFKA_RESP_ERR__TIMED_OUT, request.what,
                         "no answer within " + std::to_string(request.timeout_ms) + " ms");
    }
  }
  return Status::Closed("The client");
}

Result<std::vector<TopicPartitionOffset>> AskOffsets(const KafkaRequest& request,
                                                     const std::vector<TopicPartition>& partitions,
                                                     OffsetAt at, rd_kafka_IsolationLevel_t isolation) {
  if (partitions.empty()) return std::vector<TopicPartitionOffset>();
  const KafkaPartitionsHandle list = ToKafka(partitions);
  for (int i = 0; i < list->cnt; i++) list->elems[i].offset = static_cast<int64_t>(at);
  const Result<KafkaEventHandle> event = AskKafka(
      request, RD_KAFKA_ADMIN_OP_LISTOFFSETS,
      [&](rd_kafka_t* client, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
        rd_kafka_ListOffsets(client, list.get(), options, queue);
      },
      [isolation](rd_kafka_AdminOptions_t* options) {
        return rd_kafka_AdminOptions_set_isolation_level(options, isolation);
      });
  if (!event.ok()) {
    // Nobody may ever have told the client who leads them, and its question, once unanswered, is not asked again.
    if (event.status().code() == "kafka:LEADER_NOT_AVAILABLE") {
      for (const TopicPartition& partition : partitions) {
        LearnLeaders(request.client, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, partition.topic,
                     kLeadersTimeoutMs);
      }
    }
    return event.status();
  }
  size_t count;
  const rd_kafka_ListOffsetsResultInfo_t** infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event.value().get()), &count);
  std::vector<TopicPartitionOffset> offsets;
  for (size_t i = 0; i < count; i++) {
    const rd_kafka_topic_partition_t* element = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    const Result<int64_t> offset =
        ListedOffset(infos[i], request.what + " of " + Describe(element->topic, element->partition));
    if (!offset.ok()) {
      LearnLeaders(request.client, element->err, element->topic, kLeadersTimeoutMs);
      return offset.status();
    }
    offsets.push_back({element->topic, element->partition, offset.value(), ""});
  }
  return offsets;
}

void LearnLeaders(rd_kafka_t* client, rd_kafka_resp_err_t error, const std::string& topic, int timeout_ms) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
      break;
    default:
      return;
  }
  const KafkaTopicHandle handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  if (handle == nullptr || rd_kafka_metadata(client, 0, handle.get(), &metadata, timeout_ms) != 0) return;
  rd_kafka_metadata_destroy(metadata);
}

Result<int64_t> ListedOffset(const rd_kafka_ListOffsetsResultInfo_t* info, const std::string& what) {
  const rd_kafka_topic_partition_t* const found = rd_kafka_ListOffsetsResultInfo_topic_partition(info);
  const Status status = KafkaStatus(found->err, what);
  if (!status.ok()) return status;
  // librdkafka tells no error of a partition whose leader did not answer in time, or whose connection broke.
  if (found->offset == RD_KAFKA_OFFSET_INVALID)
    return KafkaStatus(RD_KAFKA_RESP_ERR__TIMED_OUT, what, "the partition's leader did not answer");
  return found->offset;
}

Result<std::vector<TopicPartitionOffset>> AskGroupOffsets(const KafkaRequest& request,
                                                          const std::string& group,
                                                          const rd_kafka_topic_partition_list_t* partitions,
                                                          bool stable) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(request.timeout_ms);
  while (true) {
    Result<std::vector<TopicPartitionOffset>> offsets =
        AskGroupOffsetsOnce(request, group, partitions, stable);
    if (offsets.ok() || !IsCoordinatorMoving(offsets.status()) || request.is_ending() ||
        std::chrono::steady_clock::now() >= deadline) {
      return offsets;
    }
    std::this_thread::sleep_for(kRetryDelay);
  }
}

}  // namespace weir
