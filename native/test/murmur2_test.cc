#include "common/murmur2.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

struct Vector {
  std::string key;
  int32_t hash;
};

class Murmur2Test : public testing::TestWithParam<Vector> {};

TEST_P(Murmur2Test, IsKafkas) {
  const std::string& key = GetParam().key;
  EXPECT_EQ(Murmur2(reinterpret_cast<const uint8_t*>(key.data()), key.size()), GetParam().hash);
}

// From the tests of org.apache.kafka.common.utils.Utils.
INSTANTIATE_TEST_SUITE_P(KafkaVectors, Murmur2Test,
                         testing::Values(Vector{"21", -973932308}, Vector{"foobar", -790332482},
                                         Vector{"a-little-bit-long-string", -985981536},
                                         Vector{"a-little-bit-longer-string", -1486304829},
                                         Vector{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                                                -58897971},
                                         Vector{"abc", 479470107}));

}  // namespace
}  // namespace weir
