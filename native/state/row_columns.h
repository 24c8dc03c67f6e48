#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace weir {

// A batch of rows as it crosses from and to JavaScript: Int32[4][capacity], of which `count` are used;
// positions in an arena.
struct RowColumns {
  RowColumns(int32_t* columns, size_t capacity)
      : key_start(columns),
        key_length(columns + capacity),
        value_start(columns + 2 * capacity),
        value_length(columns + 3 * capacity) {}

  int32_t* key_start;
  int32_t* key_length;
  int32_t* value_start;
  int32_t* value_length;  // -1: absent, or a deletion
};

// A slice of the arena; empty-handed (false) when it is not within it. JavaScript's numbers are never trusted
// with memory.
inline bool SliceOf(std::string_view arena, int32_t start, int32_t length, std::string_view* slice) {
  if (start < 0 || length < 0 || static_cast<size_t>(start) + static_cast<size_t>(length) > arena.size())
    return false;
  *slice = arena.substr(static_cast<size_t>(start), static_cast<size_t>(length));
  return true;
}

inline Status OutsideArena(const char* what, size_t index, size_t arena_size) {
  return Status::Invalid(std::string("The ") + what + " of row " + std::to_string(index) +
                         " is not within the arena of " + std::to_string(arena_size) + " bytes");
}

}  // namespace weir
