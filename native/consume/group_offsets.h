#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/kafka_request.h"
#include "common/status.h"
#include "common/topic_partition.h"

namespace weir {

// What a member of a group asks the broker about offsets.
//
// Threading: any thread but one that must not block. REQUIRES: the client outlives the call.

// The committed offsets of `group`, in the order of `partitions`, -1 where there is none. Stable ones: a partition with offsets in an
// open transaction fails (UNSTABLE_OFFSET_COMMIT).
Result<std::vector<TopicPartitionOffset>> AskStableOffsets(const KafkaRequest& request,
                                                           const std::string& group,
                                                           const std::vector<TopicPartition>& partitions);

// Commits as the group's member that `client` is, and waits for the answer. Closed when `is_ending` returns true, which is looked at
// every 100 ms.
Status CommitOffsets(rd_kafka_t* client, const std::vector<TopicPartitionOffset>& offsets,
                     const std::function<bool()>& is_ending);

// The earliest and, at that isolation level, the end offset.
Result<std::pair<int64_t, int64_t>> AskWatermarks(const KafkaRequest& request,
                                                  const TopicPartition& partition,
                                                  rd_kafka_IsolationLevel_t isolation);

}  // namespace weir
