#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

// A batch of records to produce as src/native/producer.ts lays it out: an arena with their bytes, and columns of `capacity` elements in one
// block: 1 of doubles, then 8 of int32 (PRODUCE_COLUMNS). A length of -1 is null, or no headers. Headers are encoded as
// count(4) {keyLength(4) key valueLength(4, -1 null) value}, big-endian.
//
// Owns nothing. Threading: a value.
struct ProduceBatch {
  const uint8_t* arena;
  size_t arena_size;
  size_t capacity;
  const double* timestamp;  // ms since 1970, -1 for now
  const int32_t* topic;
  const int32_t* partition;  // -1: chosen by the producer
  const int32_t* key_start;
  const int32_t* key_length;
  const int32_t* value_start;
  const int32_t* value_length;
  const int32_t* headers_start;
  const int32_t* headers_length;

  static constexpr size_t ColumnBytes(size_t capacity) {
    return capacity * (sizeof(double) + 8 * sizeof(int32_t));
  }

  // REQUIRES: `columns` has ColumnBytes(capacity) bytes and is aligned for doubles.
  static ProduceBatch Over(const uint8_t* arena, size_t arena_size, const void* columns, size_t capacity) {
    const double* doubles = static_cast<const double*>(columns);
    const int32_t* integers = reinterpret_cast<const int32_t*>(doubles + capacity);
    return {arena,
            arena_size,
            capacity,
            doubles,
            integers,
            integers + capacity,
            integers + 2 * capacity,
            integers + 3 * capacity,
            integers + 4 * capacity,
            integers + 5 * capacity,
            integers + 6 * capacity,
            integers + 7 * capacity};
  }
};

}  // namespace weir
