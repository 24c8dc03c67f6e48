#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/status.h"
#include "common/topic_partition.h"

namespace weir {

// A member of a consumer group, as the broker checks it when offsets go into a transaction.
struct GroupMember {
  std::string group;
  std::string member;
  int32_t generation;    // KIP-848: the member's epoch
  std::string instance;  // group.instance.id, empty when there is none
};

// Each call of a producer's transaction, bounded by `timeout_ms`. What a failure asks for:
//   retriable()  the same call again: it goes on where it was (a commit whose outcome is unknown too);
//   fatal()      another producer: this one was fenced, or cannot know what it has written;
//   else         an abort.
//
// Threading: one call at a time, each blocks. REQUIRES: the client outlives the call and has a transactional.id.
Status InitTransactions(rd_kafka_t* client, int timeout_ms);
Status BeginTransaction(rd_kafka_t* client);
Status SendOffsets(rd_kafka_t* client, const std::vector<TopicPartitionOffset>& offsets,
                   const GroupMember& member, int timeout_ms);
Status CommitTransaction(rd_kafka_t* client, int timeout_ms);
Status AbortTransaction(rd_kafka_t* client, int timeout_ms);

}  // namespace weir
