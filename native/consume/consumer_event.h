#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <vector>

#include "common/status.h"
#include "common/topic_partition.h"

namespace weir {

// What the group tells the Consumer's owner (ConsumerEvent of src/native/consumer.ts).
struct ConsumerEvent {
  enum class Type { kAssign, kRevoke, kError, kStray };

  Type type;
  std::vector<TopicPartition> partitions = {};  // kAssign, kRevoke; kStray: the one
  bool lost = false;                            // kRevoke
  Status error = {};                            // kError
  int64_t offset = -1;                          // kStray
};

// Called on the Consumer's event thread; must not block and must not call the Consumer.
using ConsumerEventHandler = std::function<void(ConsumerEvent)>;

// What librdkafka's events say. REQUIRES: an event of that kind, of `client`'s; a rebalance that assigns or revokes.
ConsumerEvent RebalanceEvent(rd_kafka_t* client, rd_kafka_event_t* event);
// `error` is Ok when there is nothing to tell.
ConsumerEvent ErrorEvent(rd_kafka_t* client, rd_kafka_event_t* event);
// One for each record.
std::vector<ConsumerEvent> StrayEvents(rd_kafka_event_t* event);

}  // namespace weir
