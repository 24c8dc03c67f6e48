#include "common/headers_encoder.h"

#include <cstring>

namespace weir {

namespace {

void PutInt32(uint8_t* out, int32_t value) {
  const uint32_t bits = static_cast<uint32_t>(value);
  out[0] = static_cast<uint8_t>(bits >> 24);
  out[1] = static_cast<uint8_t>(bits >> 16);
  out[2] = static_cast<uint8_t>(bits >> 8);
  out[3] = static_cast<uint8_t>(bits);
}

}  // namespace

size_t HeadersSize(const rd_kafka_headers_t* headers) {
  if (headers == nullptr) return 0;
  size_t size = 4;
  const char* name;
  const void* value;
  size_t value_size;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &value_size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
    size += 8 + std::strlen(name) + value_size;
  }
  return size;
}

void EncodeHeaders(const rd_kafka_headers_t* headers, uint8_t* out) {
  PutInt32(out, static_cast<int32_t>(rd_kafka_header_cnt(headers)));
  out += 4;
  const char* name;
  const void* value;
  size_t value_size;
  for (size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &value_size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
    const size_t name_size = std::strlen(name);
    PutInt32(out, static_cast<int32_t>(name_size));
    std::memcpy(out + 4, name, name_size);
    out += 4 + name_size;
    PutInt32(out, value == nullptr ? -1 : static_cast<int32_t>(value_size));
    out += 4;
    if (value == nullptr) continue;
    std::memcpy(out, value, value_size);
    out += value_size;
  }
}

}  // namespace weir
