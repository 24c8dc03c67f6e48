#pragma once

#include <rocksdb/iterator.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "state/overlay.h"

namespace weir {

// The committed rows of a store that is kept in memory only, in byte order: what a RocksDB family is to a
// persistent store. It stands below the same overlay, so that commit, discard, scans and prefetch are the same
// for both, and is filled by the same restore; it lives in C++ because rows restore at native speed there and
// their bytes, outside of V8's heap, can be counted and charged to the block cache.
//
// Threading: one thread at a time, with a happens-before between them.
// Invariants:
//   1. bytes() is what the rows take, with the tree's nodes and the allocator's share.
//   2. Pointers that Find returns, and iterators, are valid until the next change.
class MemoryTable {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  MemoryTable() = default;
  MemoryTable(const MemoryTable&) = delete;
  MemoryTable& operator=(const MemoryTable&) = delete;

  // nullopt deletes. Copies the bytes.
  void Put(std::string_view key, std::optional<std::string_view> value);
  // Removes the rows whose keys are less.
  void EraseBefore(std::string_view key);
  // Takes over what an overlay changed.
  void Fold(const Overlay& overlay);
  // Null when there is no such row.
  const std::string* Find(std::string_view key) const;
  // The rows with from <= key < to; nullopt is unbounded. The bounds' memory is the caller's.
  std::unique_ptr<rocksdb::Iterator> NewIterator(std::optional<std::string_view> from,
                                                 std::optional<std::string_view> to) const;
  size_t size() const { return rows_.size(); }
  size_t bytes() const { return bytes_; }
  void Clear();

 private:
  // `at`: the first row whose key is not less. Returns where the next key in order is to be looked for.
  Map::iterator PutAt(Map::iterator at, std::string_view key, std::optional<std::string_view> value);

  Map rows_;
  size_t bytes_ = 0;
};

}  // namespace weir
