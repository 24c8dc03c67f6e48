#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

namespace weir {

// librdkafka's objects, destroyed when their holder goes. A queue, a message and a topic must go before their client does.
namespace internal {

template <class T, void (*kDestroy)(T*)>
struct KafkaDestroy {
  void operator()(T* object) const { kDestroy(object); }
};

}  // namespace internal

template <class T, void (*kDestroy)(T*)>
using KafkaHandle = std::unique_ptr<T, internal::KafkaDestroy<T, kDestroy>>;

using KafkaConfHandle = KafkaHandle<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using KafkaTopicConfHandle = KafkaHandle<rd_kafka_topic_conf_t, rd_kafka_topic_conf_destroy>;
using KafkaQueueHandle = KafkaHandle<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using KafkaEventHandle = KafkaHandle<rd_kafka_event_t, rd_kafka_event_destroy>;
using KafkaMessageHandle = KafkaHandle<rd_kafka_message_t, rd_kafka_message_destroy>;
using KafkaTopicHandle = KafkaHandle<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using KafkaPartitionsHandle =
    KafkaHandle<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using KafkaAdminOptionsHandle = KafkaHandle<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using KafkaClientHandle = KafkaHandle<rd_kafka_t, rd_kafka_destroy>;

}  // namespace weir
