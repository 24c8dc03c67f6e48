#include "testing/local_producer.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using namespace std::string_literals;

TEST(LocalProducer, KeepsRecordsInOrderUntilTheyAreTaken) {
  LocalProducer producer;
  EXPECT_EQ(producer.Topic("a"), 0);
  EXPECT_EQ(producer.Topic("b"), 1);
  EXPECT_EQ(producer.Topic("a"), 0);
  EXPECT_EQ(producer.DeliveredOffset(1, 0), -1);
  EXPECT_TRUE(producer.Append(1, 0, "key", std::nullopt, "", 258).ok());
  EXPECT_TRUE(producer.Append(0, 0, "", "v", "headers", -1).ok());
  EXPECT_EQ(producer.DeliveredOffset(0, 0), 1);
  EXPECT_EQ(producer.DeliveredOffset(1, 0), 1);
  EXPECT_EQ(producer.delivered_records(), 2);
  EXPECT_EQ(producer.Take(),
            "\0\0\0\1"s
            "\0\0\0\0\0\0\1\2"s
            "\0\0\0\3key"s
            "\xff\xff\xff\xff"s
            "\xff\xff\xff\xff"s
            "\0\0\0\0"s
            "\xff\xff\xff\xff\xff\xff\xff\xff"s
            "\0\0\0\0"s
            "\0\0\0\1v"s
            "\0\0\0\7headers"s);
  EXPECT_EQ(producer.Take(), "");
}

TEST(LocalProducer, RefusesAnUnknownTopic) {
  LocalProducer producer;
  producer.Topic("a");
  EXPECT_EQ(producer.Append(1, 0, "key", "value", "", 0).code(), "invalid");
  EXPECT_EQ(producer.Append(-1, 0, "key", "value", "", 0).code(), "invalid");
  EXPECT_EQ(producer.Take(), "");
}

}  // namespace
}  // namespace weir
