#include "consume/consumer_event.h"

#include <string>
#include <utility>

#include "common/kafka_status.h"

namespace weir {

ConsumerEvent RebalanceEvent(rd_kafka_t* client, rd_kafka_event_t* event) {
  const bool is_assign = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  ConsumerEvent told{is_assign ? ConsumerEvent::Type::kAssign : ConsumerEvent::Type::kRevoke};
  told.partitions = PartitionsFromKafka(rd_kafka_event_topic_partition_list(event));
  told.lost = !is_assign && rd_kafka_assignment_lost(client) != 0;
  return told;
}

ConsumerEvent ErrorEvent(rd_kafka_t* client, rd_kafka_event_t* event) {
  ConsumerEvent told{ConsumerEvent::Type::kError};
  std::string context = "Consumer";
  rd_kafka_topic_partition_t* partition = rd_kafka_event_topic_partition(event);
  if (partition != nullptr) {
    context += partition->partition < 0 ? std::string(": ") + partition->topic
                                        : ": " + Describe(partition->topic, partition->partition);
    rd_kafka_topic_partition_destroy(partition);
  }
  if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__FATAL) {
    told.error = FatalKafkaStatus(client, context);
  } else {
    told.error = KafkaStatus(rd_kafka_event_error(event), context, rd_kafka_event_error_string(event));
  }
  return told;
}

std::vector<ConsumerEvent> StrayEvents(rd_kafka_event_t* event) {
  std::vector<ConsumerEvent> strays;
  while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
    if (message->rkt == nullptr) continue;
    ConsumerEvent told{ConsumerEvent::Type::kStray};
    told.partitions.push_back({rd_kafka_topic_name(message->rkt), message->partition});
    told.offset = message->offset;
    strays.push_back(std::move(told));
  }
  return strays;
}

}  // namespace weir
