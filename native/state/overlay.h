#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "state/arena.h"

namespace weir {

// A key with its first 8 bytes as a number, so that most comparisons look at no other memory than the tree's.
struct OverlayKey {
  explicit OverlayKey(std::string_view key);

  uint64_t prefix;
  std::string_view bytes;
};

// Byte order, as RocksDB's default comparator.
struct OverlayKeyLess {
  bool operator()(const OverlayKey& a, const OverlayKey& b) const {
    return a.prefix != b.prefix ? a.prefix < b.prefix : a.bytes < b.bytes;
  }
};

// What a task changed in one store since the last commit: the last row or tombstone of each key, in key
// order.
//
// Threading: one thread at a time writes; readers on other threads need a happens-before.
// Invariants:
//   1. Keys and rows live in the arena. A row that fits into the memory of the one before is written over it.
//   2. bytes() is all that the arena handed out since Clear: it never shrinks between two commits.
class Overlay {
 public:
  struct Row {
    char* data;
    uint32_t length;
    uint32_t capacity;
    int64_t timestamp_ms;  // the changelog record's
    bool deleted;

    std::string_view value() const { return {data, length}; }
  };
  using Map = std::map<OverlayKey, Row, OverlayKeyLess,
                       std::pmr::polymorphic_allocator<std::pair<const OverlayKey, Row>>>;

  Overlay() { Clear(); }
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  // nullopt deletes. Copies the bytes.
  void Put(std::string_view key, std::optional<std::string_view> value, int64_t timestamp_ms);
  // Null when the key was not changed. A tombstone is a row that is `deleted`.
  const Row* Find(std::string_view key) const;
  const Map& rows() const { return *rows_; }
  bool empty() const { return rows_->empty(); }
  size_t bytes() const { return arena_.used(); }
  void Clear();

 private:
  void Write(Row& row, std::optional<std::string_view> value, int64_t timestamp_ms);
  Map::iterator Insert(Map::iterator hint, std::string_view key);

  Arena arena_;
  // Lives in the arena, and is abandoned with it: its destructor would walk every node to free nothing.
  Map* rows_;
  // Where the last change was: changes often come in ascending order.
  Map::iterator last_;
};

}  // namespace weir
