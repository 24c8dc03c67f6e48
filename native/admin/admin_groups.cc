// Admin's requests about consumer groups.
#include <mutex>
#include <utility>

#include "admin/admin.h"
#include "common/kafka_status.h"

namespace weir {

namespace {

using AlterGroupOffsetsHandle =
    KafkaHandle<rd_kafka_AlterConsumerGroupOffsets_t, rd_kafka_AlterConsumerGroupOffsets_destroy>;
using DeleteGroupOffsetsHandle =
    KafkaHandle<rd_kafka_DeleteConsumerGroupOffsets_t, rd_kafka_DeleteConsumerGroupOffsets_destroy>;

std::string TextOrEmpty(const char* text) { return text == nullptr ? "" : text; }

// The first failure, of a group or of one of its partitions; a partition whose error is `expected` is none.
Status FirstError(const rd_kafka_group_result_t** groups, size_t count, rd_kafka_resp_err_t expected,
                  const std::string& what) {
  for (size_t i = 0; i < count; i++) {
    const Status status = KafkaStatus(rd_kafka_group_result_error(groups[i]), what);
    if (!status.ok()) return status;
    const rd_kafka_topic_partition_list_t* list = rd_kafka_group_result_partitions(groups[i]);
    for (int j = 0; list != nullptr && j < list->cnt; j++) {
      const rd_kafka_topic_partition_t& element = list->elems[j];
      if (element.err == expected) continue;
      const Status of_partition =
          KafkaStatus(element.err, what + ": " + Describe(element.topic, element.partition));
      if (!of_partition.ok()) return of_partition;
    }
  }
  return Status::Ok();
}

}  // namespace

Result<std::vector<TopicPartitionOffset>> Admin::GroupOffsets(const std::string& group, int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  return AskGroupOffsets(Request("Reading the offsets of group " + group, timeout_ms), group, nullptr, false);
}

Result<GroupDescription> Admin::DescribeGroup(const std::string& group, int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  const std::string what = "Describing group " + group;
  const char* names[] = {group.c_str()};
  const Result<KafkaEventHandle> event =
      AskKafka(Request(what, timeout_ms), RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
               [&](rd_kafka_t* client, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                 rd_kafka_DescribeConsumerGroups(client, names, 1, options, queue);
               });
  if (!event.ok()) return event.status();
  size_t count;
  const rd_kafka_ConsumerGroupDescription_t** groups = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(event.value().get()), &count);
  GroupDescription description{rd_kafka_consumer_group_state_name(RD_KAFKA_CONSUMER_GROUP_STATE_DEAD), {}};
  if (count == 0) return description;
  const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
  if (error != nullptr && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
    return description;
  const Status status = KafkaStatus(error, what);
  if (!status.ok()) return status;
  description.state = rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(groups[0]));
  const size_t members = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
  for (size_t i = 0; i < members; i++) {
    const rd_kafka_MemberDescription_t* member = rd_kafka_ConsumerGroupDescription_member(groups[0], i);
    const rd_kafka_MemberAssignment_t* assignment = rd_kafka_MemberDescription_assignment(member);
    description.members.push_back(
        {TextOrEmpty(rd_kafka_MemberDescription_consumer_id(member)),
         TextOrEmpty(rd_kafka_MemberDescription_group_instance_id(member)),
         TextOrEmpty(rd_kafka_MemberDescription_client_id(member)),
         TextOrEmpty(rd_kafka_MemberDescription_host(member)),
         assignment == nullptr ? std::vector<TopicPartition>()
                               : PartitionsFromKafka(rd_kafka_MemberAssignment_partitions(assignment))});
  }
  return description;
}

Status Admin::AlterGroupOffsets(const std::string& group, const std::vector<TopicPartitionOffset>& offsets,
                                int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  if (offsets.empty()) return Status::Ok();
  const std::string what = "Setting the offsets of group " + group;
  const KafkaPartitionsHandle list = ToKafka(offsets);
  const AlterGroupOffsetsHandle request(rd_kafka_AlterConsumerGroupOffsets_new(group.c_str(), list.get()));
  rd_kafka_AlterConsumerGroupOffsets_t* requests[] = {request.get()};
  const Result<KafkaEventHandle> event =
      AskKafka(Request(what, timeout_ms), RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS,
               [&](rd_kafka_t* client, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                 rd_kafka_AlterConsumerGroupOffsets(client, requests, 1, options, queue);
               });
  if (!event.ok()) return event.status();
  size_t count;
  const rd_kafka_group_result_t** groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(event.value().get()), &count);
  return FirstError(groups, count, RD_KAFKA_RESP_ERR_NO_ERROR, what);
}

Status Admin::DeleteGroupOffsets(const std::string& group, const std::vector<TopicPartition>& partitions,
                                 int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  if (partitions.empty()) return Status::Ok();
  const std::string what = "Deleting the offsets of group " + group;
  const KafkaPartitionsHandle list = ToKafka(partitions);
  const DeleteGroupOffsetsHandle request(rd_kafka_DeleteConsumerGroupOffsets_new(group.c_str(), list.get()));
  rd_kafka_DeleteConsumerGroupOffsets_t* requests[] = {request.get()};
  const Result<KafkaEventHandle> event =
      AskKafka(Request(what, timeout_ms), RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS,
               [&](rd_kafka_t* client, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                 rd_kafka_DeleteConsumerGroupOffsets(client, requests, 1, options, queue);
               });
  if (!event.ok()) return event.status();
  size_t count;
  const rd_kafka_group_result_t** groups = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
      rd_kafka_event_DeleteConsumerGroupOffsets_result(event.value().get()), &count);
  return FirstError(groups, count, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, what);
}

}  // namespace weir
