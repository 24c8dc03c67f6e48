#include "common/kafka_status.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(KafkaStatus, NamesErrorsWithoutLibrdkafkasPrefix) {
  const Status local = KafkaStatus(RD_KAFKA_RESP_ERR__TIMED_OUT, "A request");
  EXPECT_EQ(local.code(), "kafka:_TIMED_OUT");
  EXPECT_TRUE(local.retriable());
  EXPECT_FALSE(local.fatal());
  const Status broker = KafkaStatus(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "Topic a");
  EXPECT_EQ(broker.code(), "kafka:TOPIC_AUTHORIZATION_FAILED");
  EXPECT_FALSE(broker.retriable());
  EXPECT_EQ(broker.message().rfind("Topic a: ", 0), 0u);
}

TEST(KafkaStatus, SuccessIsOk) {
  EXPECT_TRUE(KafkaStatus(RD_KAFKA_RESP_ERR_NO_ERROR, "x").ok());
  EXPECT_TRUE(KafkaStatus(static_cast<const rd_kafka_error_t*>(nullptr), "x").ok());
}

}  // namespace
}  // namespace weir
