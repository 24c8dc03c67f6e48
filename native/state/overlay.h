#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "state/arena.h"
#include "state/overlay_tree.h"

namespace weir {

// What a task has in memory of one store above RocksDB: the last row or tombstone of each key that was changed since the last commit, and
// of those that were committed and that RocksDB has not got yet; in key order.
//
// Threading: one thread at a time writes; readers on other threads need a happens-before.
// Invariants:
//   1. Keys and rows live in the arena. A row that fits into the memory of the one before is written over it.
//   2. bytes() is all that the arena handed out since Clear: it never shrinks before.
//   3. A changed row takes the place of a kept one, which is gone then.
class Overlay {
 public:
  using Row = OverlayRow;
  using Entry = OverlayTree::Entry;

  Overlay() { Clear(); }
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  // nullopt deletes. Copies the bytes.
  void Put(std::string_view key, std::optional<std::string_view> value, int64_t timestamp_ms);
  // Null when the key is not here. A tombstone is a row that is `deleted`.
  const Row* Find(std::string_view key) const;
  const OverlayTree& rows() const { return *rows_; }
  bool empty() const { return rows_->empty(); }
  size_t bytes() const { return arena_.used(); }

  // How many rows were changed since Clear or KeepChanges, and about how much a commit has to write of them.
  size_t changed_count() const { return changed_.size(); }
  size_t changed_bytes() const { return changed_bytes_; }
  // Those rows in key order. Good until the next Put.
  const std::vector<Entry*>& SortedChanges();
  // The changes were committed: from now on their rows are kept.
  void KeepChanges();
  void Clear();

 private:
  Arena arena_;
  // Lives in the arena, and is abandoned with it.
  OverlayTree* rows_;
  std::vector<Entry*> changed_;
  size_t changed_bytes_ = 0;
};

}  // namespace weir
