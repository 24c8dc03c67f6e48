#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

// A batch of consumed records as src/native/consumer.ts lays it out: an arena with their bytes, and columns of `capacity` elements in one
// block: 2 of doubles, then 6 of int32 (CONSUME_COLUMNS). Headers are encoded in the arena as
// count(4) {keyLength(4) key valueLength(4, -1 null) value}, big-endian; a record without any has headersLength -1.
//
// Owns nothing. Threading: a value.
struct RecordBatch {
  uint8_t* arena;
  size_t arena_size;
  size_t capacity;
  double* offset;
  double* timestamp;  // ms since 1970; -1 when the record has none
  int32_t* key_start;
  int32_t* key_length;
  int32_t* value_start;
  int32_t* value_length;
  int32_t* headers_start;
  int32_t* headers_length;

  static constexpr size_t ColumnBytes(size_t capacity) {
    return capacity * (2 * sizeof(double) + 6 * sizeof(int32_t));
  }

  // REQUIRES: `columns` has ColumnBytes(capacity) bytes and is aligned for doubles.
  static RecordBatch Over(uint8_t* arena, size_t arena_size, void* columns, size_t capacity) {
    double* doubles = static_cast<double*>(columns);
    int32_t* integers = reinterpret_cast<int32_t*>(doubles + 2 * capacity);
    return {arena,
            arena_size < INT32_MAX ? arena_size : INT32_MAX,
            capacity,
            doubles,
            doubles + capacity,
            integers,
            integers + capacity,
            integers + 2 * capacity,
            integers + 3 * capacity,
            integers + 4 * capacity,
            integers + 5 * capacity};
  }
};

}  // namespace weir
