#pragma once

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <cstdint>

namespace weir {

// A message's headers as they cross to JavaScript: count(4) {keyLength(4) key valueLength(4, -1 null) value}, big-endian.

// Their encoded size, 0 when there are none (null).
size_t HeadersSize(const rd_kafka_headers_t* headers);

// REQUIRES: `headers` is not null, and `out` has HeadersSize(headers) bytes.
void EncodeHeaders(const rd_kafka_headers_t* headers, uint8_t* out);

}  // namespace weir
