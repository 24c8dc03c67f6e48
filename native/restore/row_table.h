#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "restore/sorted_rows.h"
#include "state/arena.h"
#include "state/changelog_rows.h"

namespace weir {

// The last row of each key, in memory: a hash table while rows come, sorted once at the end.
//
// A Put reads a slot, the entry that it names and the key that this points to: three waits for memory. Whoever knows the hashes of the next rows
// asks for the three some rows before, each when the one before it has come.
//
// Threading: one thread.
// Invariant: keys and rows live in the arena, a key right before its row; a row that fits into the memory of
// the one before is written over it.
class RowTable {
 public:
  // Of bytes that are the same for two rows exactly when their keys are.
  static uint64_t HashOf(std::string_view bytes);
  void PrefetchSlot(uint64_t hash) const;
  void PrefetchEntry(uint64_t hash) const;
  void PrefetchKey(uint64_t hash) const;
  // Copies the row.
  void Put(const RestoredRow& row, uint64_t hash);
  size_t size() const { return entries_.size(); }
  // The memory that it takes; 0 after Clear.
  size_t bytes() const;
  // The rows in order. The table is to be cleared before the next Put, and outlives them.
  std::unique_ptr<SortedRows> Sort();
  void Clear();

 private:
  struct Entry {
    uint64_t order;  // the key's hash; once sorted, its first bytes behind what all keys begin with
    char* key;
    uint32_t key_length;
    uint32_t row_length;  // kDeleted: a deletion
    uint32_t row_capacity;

    std::string_view key_bytes() const { return {key, key_length}; }
    char* row() const { return key + key_length; }
  };
  class Rows;

  static constexpr uint32_t kDeleted = UINT32_MAX;
  static constexpr size_t kSlotsMin = 256;

  Entry& EntryOf(std::string_view key, uint64_t hash, size_t row_length);
  // The first entry whose hash begins as this one, which is nearly always the key's; null when there is none.
  const Entry* Likely(uint64_t hash) const;
  void Place(Entry& entry, std::string_view key, size_t row_length);
  void Grow();

  Arena arena_;
  std::vector<Entry> entries_;
  // The upper half of a key's hash, and its entry's index + 1 (0: free). Open addressing, never over half full.
  std::vector<uint64_t> slots_;
  size_t common_prefix_ = 0;  // bytes that all keys begin with
};

}  // namespace weir
