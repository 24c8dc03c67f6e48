#include "produce/headers_decoder.h"

namespace weir {

namespace {

// Reads from a byte range; `failed` once something lay beyond its end.
struct Reader {
  const uint8_t* at;
  size_t left;
  bool failed = false;

  int32_t Int32() {
    const uint8_t* bytes = Bytes(4);
    if (bytes == nullptr) return 0;
    return static_cast<int32_t>(static_cast<uint32_t>(bytes[0]) << 24 |
                                static_cast<uint32_t>(bytes[1]) << 16 | static_cast<uint32_t>(bytes[2]) << 8 |
                                static_cast<uint32_t>(bytes[3]));
  }

  const uint8_t* Bytes(int32_t count) {
    if (count < 0 || static_cast<size_t>(count) > left) {
      failed = true;
      left = 0;
      return nullptr;
    }
    const uint8_t* bytes = at;
    at += count;
    left -= static_cast<size_t>(count);
    return bytes;
  }
};

}  // namespace

rd_kafka_headers_t* DecodeHeaders(const uint8_t* bytes, size_t size) {
  Reader reader{bytes, size};
  const int32_t count = reader.Int32();
  // The least that a header takes is 8 bytes.
  if (reader.failed || count < 0 || static_cast<size_t>(count) > reader.left / 8) return nullptr;
  rd_kafka_headers_t* headers = rd_kafka_headers_new(static_cast<size_t>(count));
  for (int32_t i = 0; i < count && !reader.failed; i++) {
    const int32_t name_size = reader.Int32();
    const uint8_t* name = reader.Bytes(name_size);
    const int32_t value_size = reader.Int32();
    const uint8_t* value = value_size < 0 ? nullptr : reader.Bytes(value_size);
    if (reader.failed) break;
    rd_kafka_header_add(headers, reinterpret_cast<const char*>(name), name_size, value,
                        value == nullptr ? 0 : value_size);
  }
  if (reader.failed || reader.left != 0) {
    rd_kafka_headers_destroy(headers);
    return nullptr;
  }
  return headers;
}

}  // namespace weir
