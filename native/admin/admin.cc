#include "admin/admin.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "common/kafka_status.h"

namespace weir {

namespace {

// A metadata request cannot be cancelled: it is made in steps of at most this long.
constexpr int64_t kMetadataStepMs = 3000;

using TopicCollectionHandle = KafkaHandle<rd_kafka_TopicCollection_t, rd_kafka_TopicCollection_destroy>;
using ConfigResourceHandle = KafkaHandle<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;
using NewTopicHandle = KafkaHandle<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using DeleteTopicHandle = KafkaHandle<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy>;
using DeleteRecordsHandle = KafkaHandle<rd_kafka_DeleteRecords_t, rd_kafka_DeleteRecords_destroy>;

bool IsMissingTopic(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID;
}

// The broker answers when it is done, not when it has taken note.
ChangeAdminOptions OperationTimeout(int timeout_ms) {
  return [timeout_ms](rd_kafka_AdminOptions_t* options) -> rd_kafka_error_t* {
    char reason[512];
    const rd_kafka_resp_err_t error =
        rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, reason, sizeof(reason));
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? nullptr : rd_kafka_error_new(error, "%s", reason);
  };
}

// Those of `results` that failed otherwise than by `expected`.
std::vector<TopicFailure> Failures(const rd_kafka_topic_result_t** results, size_t count,
                                   rd_kafka_resp_err_t expected, const std::string& what) {
  std::vector<TopicFailure> failures;
  for (size_t i = 0; i < count; i++) {
    const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == expected) continue;
    const std::string name = rd_kafka_topic_result_name(results[i]);
    const char* reason = rd_kafka_topic_result_error_string(results[i]);
    failures.push_back(
        {name, KafkaStatus(error, what + " " + name, reason == nullptr ? rd_kafka_err2str(error) : reason)});
  }
  return failures;
}

}  // namespace

Result<std::shared_ptr<Admin>> Admin::Create(const KafkaConfig& config, const Cancellation& owner) {
  Result<KafkaConfHandle> conf = BuildKafkaConf(config, {});
  if (!conf.ok()) return conf.status();
  // Kept in the client's main queue until a request goes unanswered.
  rd_kafka_conf_set_events(conf.value().get(), RD_KAFKA_EVENT_ERROR);
  Result<KafkaClientHandle> client = NewKafkaClient(RD_KAFKA_PRODUCER, std::move(conf.value()));
  if (!client.ok()) return client.status();
  return std::shared_ptr<Admin>(new Admin(std::move(client.value()), owner));
}

Result<std::vector<TopicDescription>> Admin::DescribeTopics(const std::vector<std::string>& names,
                                                            int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  if (names.empty()) return std::vector<TopicDescription>();
  std::vector<const char*> list;
  for (const std::string& name : names) list.push_back(name.c_str());
  const TopicCollectionHandle collection(rd_kafka_TopicCollection_of_topic_names(list.data(), list.size()));
  const Result<KafkaEventHandle> event =
      AskKafka(Request("Describing topics", timeout_ms), RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
               [&](rd_kafka_t* client, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                 rd_kafka_DescribeTopics(client, collection.get(), options, queue);
               });
  const Status unanswered = WhyUnanswered("Describing topics", event.ok() ? Status::Ok() : event.status());
  if (!unanswered.ok()) return unanswered;
  size_t count;
  const rd_kafka_TopicDescription_t** topics = rd_kafka_DescribeTopics_result_topics(
      rd_kafka_event_DescribeTopics_result(event.value().get()), &count);
  std::vector<TopicDescription> descriptions;
  for (size_t i = 0; i < count; i++) {
    const std::string name = rd_kafka_TopicDescription_name(topics[i]);
    const rd_kafka_error_t* error = rd_kafka_TopicDescription_error(topics[i]);
    if (error != nullptr && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (IsMissingTopic(rd_kafka_error_code(error))) continue;
      return KafkaStatus(error, "Describing topic " + name);
    }
    size_t partitions;
    const rd_kafka_TopicPartitionInfo_t** infos =
        rd_kafka_TopicDescription_partitions(topics[i], &partitions);
    size_t replicas = 0;
    if (partitions > 0) rd_kafka_TopicPartitionInfo_replicas(infos[0], &replicas);
    descriptions.push_back({name, rd_kafka_Uuid_base64str(rd_kafka_TopicDescription_topic_id(topics[i])),
                            static_cast<int32_t>(partitions), static_cast<int32_t>(replicas)});
  }
  return descriptions;
}

Result<std::map<std::string, std::string>> Admin::TopicConfigs(const std::string& name, int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  const std::string what = "Reading the configuration of topic " + name;
  const ConfigResourceHandle resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
  if (resource == nullptr) return Status::Invalid(what + ": a topic needs a name");
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  const Result<KafkaEventHandle> event =
      AskKafka(Request(what, timeout_ms), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
               [&](rd_kafka_t* client, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                 rd_kafka_DescribeConfigs(client, resources, 1, options, queue);
               });
  if (!event.ok()) return event.status();
  size_t count;
  const rd_kafka_ConfigResource_t** answered = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.value().get()), &count);
  std::map<std::string, std::string> configs;
  for (size_t i = 0; i < count; i++) {
    const rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(answered[i]);
    const char* reason = rd_kafka_ConfigResource_error_string(answered[i]);
    const Status status = KafkaStatus(error, what, reason == nullptr ? rd_kafka_err2str(error) : reason);
    if (!status.ok()) return status;
    size_t entries;
    const rd_kafka_ConfigEntry_t** entry = rd_kafka_ConfigResource_configs(answered[i], &entries);
    for (size_t j = 0; j < entries; j++) {
      const char* value = rd_kafka_ConfigEntry_value(entry[j]);
      if (value != nullptr) configs.emplace(rd_kafka_ConfigEntry_name(entry[j]), value);
    }
  }
  return configs;
}

Result<std::vector<TopicFailure>> Admin::CreateTopics(const std::vector<NewTopicRequest>& topics,
                                                      int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  if (topics.empty()) return std::vector<TopicFailure>();
  std::vector<NewTopicHandle> handles;
  std::vector<rd_kafka_NewTopic_t*> list;
  for (const NewTopicRequest& topic : topics) {
    char reason[512];
    NewTopicHandle handle(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                                topic.replication_factor, reason, sizeof(reason)));
    if (handle == nullptr) return Status::Invalid("Creating topic " + topic.name + ": " + reason);
    for (const auto& [name, value] : topic.config) {
      const Status status =
          KafkaStatus(rd_kafka_NewTopic_set_config(handle.get(), name.c_str(), value.c_str()),
                      "Creating topic " + topic.name + ": setting " + name);
      if (!status.ok()) return status;
    }
    list.push_back(handle.get());
    handles.push_back(std::move(handle));
  }
  const Result<KafkaEventHandle> event = AskKafka(
      Request("Creating topics", timeout_ms), RD_KAFKA_ADMIN_OP_CREATETOPICS,
      [&](rd_kafka_t* client, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
        rd_kafka_CreateTopics(client, list.data(), list.size(), options, queue);
      },
      OperationTimeout(timeout_ms));
  if (!event.ok()) return event.status();
  size_t count;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.value().get()), &count);
  return Failures(results, count, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, "Creating topic");
}

Result<std::vector<TopicFailure>> Admin::DeleteTopics(const std::vector<std::string>& names, int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  if (names.empty()) return std::vector<TopicFailure>();
  std::vector<DeleteTopicHandle> handles;
  std::vector<rd_kafka_DeleteTopic_t*> list;
  for (const std::string& name : names) {
    handles.emplace_back(rd_kafka_DeleteTopic_new(name.c_str()));
    list.push_back(handles.back().get());
  }
  const Result<KafkaEventHandle> event = AskKafka(
      Request("Deleting topics", timeout_ms), RD_KAFKA_ADMIN_OP_DELETETOPICS,
      [&](rd_kafka_t* client, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
        rd_kafka_DeleteTopics(client, list.data(), list.size(), options, queue);
      },
      OperationTimeout(timeout_ms));
  if (!event.ok()) return event.status();
  size_t count;
  const rd_kafka_topic_result_t** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.value().get()), &count);
  return Failures(results, count, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "Deleting topic");
}

Status Admin::DeleteRecords(const std::vector<TopicPartitionOffset>& before, int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  if (before.empty()) return Status::Ok();
  const KafkaPartitionsHandle offsets = ToKafka(before);
  const DeleteRecordsHandle request(rd_kafka_DeleteRecords_new(offsets.get()));
  rd_kafka_DeleteRecords_t* requests[] = {request.get()};
  const Result<KafkaEventHandle> event =
      AskKafka(Request("Deleting records", timeout_ms), RD_KAFKA_ADMIN_OP_DELETERECORDS,
               [&](rd_kafka_t* client, const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                 rd_kafka_DeleteRecords(client, requests, 1, options, queue);
               });
  if (!event.ok()) return event.status();
  const rd_kafka_topic_partition_list_t* answered =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.value().get()));
  for (int i = 0; i < answered->cnt; i++) {
    const rd_kafka_topic_partition_t& element = answered->elems[i];
    const Status status =
        KafkaStatus(element.err, "Deleting records of " + Describe(element.topic, element.partition));
    if (!status.ok()) {
      LearnLeaders(client_.get(), element.err, element.topic, timeout_ms);
      return status;
    }
  }
  return Status::Ok();
}

Result<std::vector<TopicPartitionOffset>> Admin::ListOffsets(const std::vector<TopicPartition>& partitions,
                                                             OffsetAt at, rd_kafka_IsolationLevel_t isolation,
                                                             int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  return AskOffsets(Request("Listing offsets", timeout_ms), partitions, at, isolation);
}

Result<std::vector<TopicPartitions>> Admin::ListTopics(int timeout_ms) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedClient();
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    if (owner_.cancelled() || closing_.cancelled()) return ClosedClient();
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())
            .count();
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(client_.get(), 1, nullptr, &metadata,
                          static_cast<int>(std::clamp<int64_t>(left, 1, kMetadataStepMs)));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    const bool again = error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT;
    if (!again || left <= 0) return KafkaStatus(error, "Listing topics");
  }
  std::vector<TopicPartitions> topics;
  for (int i = 0; i < metadata->topic_cnt; i++) {
    const rd_kafka_metadata_topic& topic = metadata->topics[i];
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) topics.push_back({topic.topic, topic.partition_cnt});
  }
  rd_kafka_metadata_destroy(metadata);
  return topics;
}

void Admin::Close() {
  closing_.Cancel();
  std::unique_lock<std::shared_mutex> lock(lifetime_);
  client_.reset();
}

Status Admin::WhyUnanswered(const std::string& what, const Status& status) const {
  // Read after every request, so that what was overcome is forgotten.
  const KafkaQueueHandle queue(rd_kafka_queue_get_main(client_.get()));
  Status why = status;
  while (const KafkaEventHandle event{rd_kafka_queue_poll(queue.get(), 0)}) {
    const rd_kafka_resp_err_t error = rd_kafka_event_error(event.get());
    // That all brokers are down is said beside the reason.
    if (status.ok() || status.code() != "kafka:_TIMED_OUT" || error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
      continue;
    const Status told = KafkaStatus(error, what, rd_kafka_event_error_string(event.get()));
    // What waiting does not cure is not hidden by what comes after it.
    if (!told.ok() && (why.retriable() || why.code() == status.code())) why = told;
  }
  return why;
}

KafkaRequest Admin::Request(const std::string& what, int timeout_ms) const {
  return {client_.get(), what, timeout_ms,
          [owner = owner_, closing = closing_] { return owner.cancelled() || closing.cancelled(); }};
}

}  // namespace weir
