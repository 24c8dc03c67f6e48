#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "state/arena.h"

namespace weir {

// A key with its first 8 bytes as a number, so that keys which differ there are compared without looking at other memory.
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

// What became of a key.
struct OverlayRow {
  char* data;
  uint32_t length;
  uint32_t capacity;
  int64_t timestamp_ms;  // the changelog record's
  bool deleted;
  bool changed;  // since the last commit

  std::string_view value() const { return {data, length}; }
};

// Rows in key order: a B+ tree that only grows. A scan walks hundreds of rows, and in a binary tree each would be a wait for memory;
// here the addresses of the next rows lie side by side, so they are fetched ahead.
//
// Threading: one thread at a time writes; readers on other threads need a happens-before.
// Invariants:
//   1. Entries never move: an Entry& is good until the arena is reset. Iterators are good until the next Insert.
//   2. Every leaf but the root has an entry. Leaves are linked in key order.
//   3. A separator is the first entry of the subtree on its right, or was when that subtree was made; what is below it lies on its left.
//   4. All keys of a node's slots begin with the same `shared` bytes: as many as its first and its last one have in common, or fewer.
class OverlayTree {
 public:
  struct Entry {
    OverlayKey key;
    OverlayRow row;
  };

 private:
  static constexpr size_t kWidth = 32;

  // The 8 bytes of the key that come after those which all keys of the node share, as a number, beside the address: the entry is looked at only where they are equal. Keys often
  // have their first bytes in common (the rows of one user, of one tenant), so a search looks at the shared bytes once, in the first entry.
  struct Slot {
    uint64_t prefix;
    Entry* entry;
  };
  struct Leaf {
    size_t size = 0;
    size_t shared = 0;
    Leaf* before = nullptr;
    Leaf* after = nullptr;
    std::array<Slot, kWidth> slots;
  };
  struct Branch {
    size_t size = 0;  // of children; separators[i] stands between children[i] and children[i + 1]
    size_t shared = 0;
    std::array<Slot, kWidth - 1> separators;
    std::array<void*, kWidth> children;
  };

 public:
  class Iterator {
   public:
    const Entry& operator*() const { return *leaf_->slots[index_].entry; }
    const Entry* operator->() const { return leaf_->slots[index_].entry; }
    Iterator& operator++();
    Iterator& operator--();  // REQUIRES it is not begin()
    bool operator==(const Iterator& other) const { return leaf_ == other.leaf_ && index_ == other.index_; }
    bool operator!=(const Iterator& other) const { return !(*this == other); }

   private:
    friend class OverlayTree;
    Iterator(const Leaf* leaf, size_t index) : leaf_(leaf), index_(index) {}

    // The end is behind the last leaf's last row: every other place has a row.
    const Leaf* leaf_;
    size_t index_;
  };

  // The nodes, the entries and the keys are the arena's, and go with it; so does the tree, which needs no destructor.
  explicit OverlayTree(Arena* arena);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Iterator begin() const { return {first_, 0}; }
  Iterator end() const { return {last_, last_->size}; }
  // A row, to be changed. REQUIRES that the place is not end().
  Entry& At(const Iterator& place) { return *place.leaf_->slots[place.index_].entry; }
  // The first row whose key is not less than `key`.
  Iterator LowerBound(std::string_view key) const;
  // The first row whose key is greater than `key`.
  Iterator UpperBound(std::string_view key) const;
  const Entry* Find(std::string_view key) const;
  // The entry of the key; a new one is deleted and unchanged, without memory of its own. Copies the key.
  Entry& Insert(std::string_view key);

 private:
  // From the root to a leaf: the branch and which of its children.
  struct Step {
    Branch* branch;
    size_t child;
  };
  static constexpr size_t kDepthMax = 16;  // 16^16 rows

  // What is searched for among a node's slots.
  class Search;

  // The first slot that is not less.
  static size_t LowerIndex(const Leaf& leaf, const Search& search);
  static bool Holds(const Leaf& leaf, size_t index, const Search& search);
  static size_t ChildIndex(const Branch& branch, std::string_view key);
  // Brings `shared` and the prefixes up to date after the first or the last of the slots has changed.
  static void Share(Slot* slots, size_t size, size_t* shared);

  const Leaf* LeafOf(std::string_view key) const;
  Iterator At(const Leaf* leaf, size_t index) const;
  // True when the key's place is in the leaf of the last insertion, which has room.
  bool IsInHint(const Search& search) const;
  Entry* NewEntry(std::string_view key);
  void InsertAt(Leaf* leaf, size_t index, Entry* entry);
  // Makes room in a full leaf. Returns the leaf and the place for the new entry.
  Leaf* Split(Leaf* leaf, size_t* index, std::array<Step, kDepthMax>* path, Entry* entry);
  void AddChild(std::array<Step, kDepthMax>* path, Entry* separator, void* child);

  Arena* const arena_;
  void* root_;
  size_t depth_ = 0;  // of branches above the leaves
  size_t size_ = 0;
  Leaf* first_;
  Leaf* last_;
  // Where the last insertion was: changes often come in ascending order.
  Leaf* hint_;
};

}  // namespace weir
