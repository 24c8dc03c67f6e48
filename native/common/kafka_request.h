#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/kafka_handles.h"
#include "common/status.h"
#include "common/topic_partition.h"

namespace weir {

// librdkafka's admin requests, made so that a waiting thread can be told to stop. They work on every kind of client.
//
// Threading: any thread but one that must not block. REQUIRES: the client outlives the call and what it returns.
struct KafkaRequest {
  rd_kafka_t* client;
  std::string what;  // begins a failure's message
  int timeout_ms;
  // Looked at every 100 ms; true makes the call return Closed.
  std::function<bool()> is_ending;
};

using SendKafkaRequest = std::function<void(rd_kafka_t*, const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;
using ChangeAdminOptions = std::function<rd_kafka_error_t*(rd_kafka_AdminOptions_t*)>;

// Sends and waits for the result's event. Errors of the whole request are failures; those of its parts are in the event.
Result<KafkaEventHandle> AskKafka(const KafkaRequest& request, rd_kafka_admin_op_t operation,
                                  const SendKafkaRequest& send,
                                  const ChangeAdminOptions& change_options = nullptr);

// An end of a partition, or (see OffsetSince) its first offset of a time; -1 where nothing is as young.
enum class OffsetAt : int64_t {
  kEarliest = RD_KAFKA_OFFSET_SPEC_EARLIEST,
  kLatest = RD_KAFKA_OFFSET_SPEC_LATEST,
};
// Of the first record with this timestamp or a later one. REQUIRES: time_ms >= 0, since 1970.
inline OffsetAt OffsetSince(int64_t time_ms) { return static_cast<OffsetAt>(time_ms); }

Result<std::vector<TopicPartitionOffset>> AskOffsets(const KafkaRequest& request,
                                                     const std::vector<TopicPartition>& partitions,
                                                     OffsetAt at, rd_kafka_IsolationLevel_t isolation);

// Asks who leads the topic's partitions when `error` says that the client knows an old leader, or an old epoch of its: librdkafka keeps what it
// knows, and would make the same request in vain until its next look at all topics. Blocks for `timeout_ms` at most.
void LearnLeaders(rd_kafka_t* client, rd_kafka_resp_err_t error, const std::string& topic, int timeout_ms);

// What ListOffsets answered for one partition; -1 where no record is as young. Retriable where its leader gave no answer.
Result<int64_t> ListedOffset(const rd_kafka_ListOffsetsResultInfo_t* info, const std::string& what);

// The committed offsets of `group`, -1 where there is none: of `partitions`, or all it has when that is null. With `stable`,
// partitions with offsets in an open transaction fail (UNSTABLE_OFFSET_COMMIT). A group that does not exist has none.
// Asks again within the time-out while the group's coordinator is moving.
Result<std::vector<TopicPartitionOffset>> AskGroupOffsets(const KafkaRequest& request,
                                                          const std::string& group,
                                                          const rd_kafka_topic_partition_list_t* partitions,
                                                          bool stable);

}  // namespace weir
