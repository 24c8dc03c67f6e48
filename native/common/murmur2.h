#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

// murmur2 as Kafka's default partitioner computes it (org.apache.kafka.common.utils.Utils.murmur2): seed
// 0x9747b28c, little-endian words. A key's partition is (Murmur2(key) & 0x7fffffff) % partitions.
//
// Threading: pure.
int32_t Murmur2(const uint8_t* bytes, size_t length);

}  // namespace weir
