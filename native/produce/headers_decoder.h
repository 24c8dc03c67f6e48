#pragma once

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <cstdint>

namespace weir {

// Record headers from their encoding in an arena, count(4) {keyLength(4) key valueLength(4, -1 null) value}, big-endian, of exactly
// `size` bytes. Returns null when the bytes are something else. The caller owns the result.
rd_kafka_headers_t* DecodeHeaders(const uint8_t* bytes, size_t size);

}  // namespace weir
