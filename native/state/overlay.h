#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "state/arena.h"
#include "state/overlay_tree.h"

namespace weir {

// What a task changed in one store since the last commit: the last row or tombstone of each key, in key
// order.
//
// Threading: one thread at a time writes; readers on other threads need a happens-before.
// Invariants:
//   1. Keys and rows live in the arena. A row that fits into the memory of the one before is written over it.
//   2. bytes() is all that the arena handed out since Clear: it never shrinks between two commits.
class Overlay {
 public:
  using Row = OverlayRow;

  Overlay() { Clear(); }
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  // nullopt deletes. Copies the bytes.
  void Put(std::string_view key, std::optional<std::string_view> value, int64_t timestamp_ms);
  // Null when the key was not changed. A tombstone is a row that is `deleted`.
  const Row* Find(std::string_view key) const;
  const OverlayTree& rows() const { return *rows_; }
  bool empty() const { return rows_->empty(); }
  size_t bytes() const { return arena_.used(); }
  void Clear();

 private:
  Arena arena_;
  // Lives in the arena, and is abandoned with it.
  OverlayTree* rows_;
};

}  // namespace weir
