#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

#include "common/cancellation.h"
#include "common/kafka_config.h"
#include "common/kafka_handles.h"
#include "common/kafka_request.h"
#include "common/status.h"
#include "common/topic_partition.h"

namespace weir {

struct TopicDescription {
  std::string name;
  std::string id;  // as Kafka writes a Uuid: 22 characters of base64
  int32_t partitions;
  int32_t replication_factor;
};

struct NewTopicRequest {
  std::string name;
  int32_t partitions;
  int32_t replication_factor;  // -1: the broker's default
  std::map<std::string, std::string> config;
};

struct TopicFailure {
  std::string name;
  Status error;
};

struct TopicPartitions {
  std::string name;
  int32_t partitions;
};

struct GroupMemberDescription {
  std::string member_id;
  std::string instance_id;  // empty: no static member
  std::string client_id;
  std::string host;
  std::vector<TopicPartition> assignment;  // none while the group rebalances
};

struct GroupDescription {
  std::string state;  // as librdkafka names it: "Stable", "Empty", "Dead" for one that does not exist
  std::vector<GroupMemberDescription> members;
};

// Requests about topics, configurations, offsets and groups.
//
// Every call blocks until the answer, `timeout_ms` or the cancellation (Closed). A topic that does not exist is left out of a result;
// what the broker refuses fails with the topic's name.
//
// Ownership: held by shared_ptr: by the JS object and by calls under way.
// Threading: any thread but one that must not block; calls may run at the same time. Close waits for them.
class Admin {
 public:
  // `owner` is cancelled when the owner's thread ends.
  static Result<std::shared_ptr<Admin>> Create(const KafkaConfig& config, const Cancellation& owner);
  ~Admin() { Close(); }
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  Result<std::vector<TopicDescription>> DescribeTopics(const std::vector<std::string>& names, int timeout_ms);
  Result<std::map<std::string, std::string>> TopicConfigs(const std::string& name, int timeout_ms);
  // Returns what could not be created; a topic that exists already is no failure.
  Result<std::vector<TopicFailure>> CreateTopics(const std::vector<NewTopicRequest>& topics, int timeout_ms);
  // Returns what could not be deleted; a topic that is missing is no failure.
  Result<std::vector<TopicFailure>> DeleteTopics(const std::vector<std::string>& names, int timeout_ms);
  Status DeleteRecords(const std::vector<TopicPartitionOffset>& before, int timeout_ms);

  Result<std::vector<TopicPartitionOffset>> ListOffsets(const std::vector<TopicPartition>& partitions,
                                                        OffsetAt at, rd_kafka_IsolationLevel_t isolation,
                                                        int timeout_ms);
  // All committed offsets of a group; none for a group that does not exist.
  Result<std::vector<TopicPartitionOffset>> GroupOffsets(const std::string& group, int timeout_ms);
  Result<GroupDescription> DescribeGroup(const std::string& group, int timeout_ms);
  // Sets, or takes away, a group's committed offsets. The broker refuses while the group has members.
  Status AlterGroupOffsets(const std::string& group, const std::vector<TopicPartitionOffset>& offsets,
                           int timeout_ms);
  Status DeleteGroupOffsets(const std::string& group, const std::vector<TopicPartition>& partitions,
                            int timeout_ms);
  // All topics, by a metadata request: works where there is no topic administration.
  Result<std::vector<TopicPartitions>> ListTopics(int timeout_ms);

  // Destroys the client. Calls under way return Closed. Idempotent.
  void Close();

 private:
  Admin(KafkaClientHandle client, const Cancellation& owner) : owner_(owner), client_(std::move(client)) {}

  static Status ClosedClient() { return Status::Closed("The admin client"); }

  // For a request that no broker has answered: why, when the connections say so (a refused password, a certificate, a closed port).
  // REQUIRES: lifetime_ held.
  Status WhyUnanswered(const std::string& what, const Status& status) const;

  // REQUIRES: lifetime_ held while the request and its event are in use.
  KafkaRequest Request(const std::string& what, int timeout_ms) const;

  const Cancellation owner_;
  const Cancellation closing_;
  std::shared_mutex lifetime_;  // held shared by calls, exclusively to destroy the client
  KafkaClientHandle client_;    // null once closed; guarded by lifetime_
};

}  // namespace weir
