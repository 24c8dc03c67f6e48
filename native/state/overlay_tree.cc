#include "state/overlay_tree.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace weir {

namespace {

// Rows ahead of a walk whose memory is asked for.
constexpr size_t kFetchAhead = 12;
constexpr size_t kCacheLine = 64;

// An entry, its key and its first value were allocated one after the other.
void FetchAhead(const void* entry) {
  const char* const at = static_cast<const char*>(entry);
  for (size_t line = 0; line < 3; line++) __builtin_prefetch(at + line * kCacheLine);
}

}  // namespace

OverlayKey::OverlayKey(std::string_view key) : bytes(key) {
  if (key.size() >= sizeof(prefix)) {
    std::memcpy(&prefix, key.data(), sizeof(prefix));
  } else {
    prefix = 0;
    if (!key.empty()) std::memcpy(&prefix, key.data(), key.size());
  }
  prefix = __builtin_bswap64(prefix);
}

OverlayTree::Iterator& OverlayTree::Iterator::operator++() {
  index_++;
  if (index_ == leaf_->size && leaf_->after != nullptr) {
    leaf_ = leaf_->after;
    index_ = 0;
    // The slots of the leaf behind it, which is walked next.
    if (leaf_->after != nullptr) {
      for (size_t line = 0; line < sizeof(Leaf); line += kCacheLine)
        __builtin_prefetch(reinterpret_cast<const char*>(leaf_->after) + line);
    }
    for (size_t i = 0; i < std::min(kFetchAhead, leaf_->size); i++) FetchAhead(leaf_->slots[i].entry);
  } else if (index_ + kFetchAhead < leaf_->size) {
    FetchAhead(leaf_->slots[index_ + kFetchAhead].entry);
  }
  return *this;
}

OverlayTree::Iterator& OverlayTree::Iterator::operator--() {
  if (index_ == 0) {
    leaf_ = leaf_->before;
    index_ = leaf_->size;
    for (size_t i = 0; i < std::min(kFetchAhead, leaf_->size); i++)
      FetchAhead(leaf_->slots[leaf_->size - 1 - i].entry);
  }
  index_--;
  if (index_ >= kFetchAhead) FetchAhead(leaf_->slots[index_ - kFetchAhead].entry);
  return *this;
}

OverlayTree::OverlayTree(Arena* arena) : arena_(arena) {
  first_ = new (arena_->allocate(sizeof(Leaf), alignof(Leaf))) Leaf;
  last_ = first_;
  hint_ = first_;
  root_ = first_;
}

OverlayTree::Iterator OverlayTree::LowerBound(const OverlayKey& key) const {
  const Leaf* const leaf = LeafOf(key);
  return At(leaf, LowerIndex(*leaf, key));
}

OverlayTree::Iterator OverlayTree::UpperBound(const OverlayKey& key) const {
  const Leaf* const leaf = LeafOf(key);
  size_t index = LowerIndex(*leaf, key);
  if (index < leaf->size && !Less(key, leaf->slots[index])) index++;
  return At(leaf, index);
}

const OverlayTree::Entry* OverlayTree::Find(std::string_view key) const {
  if (size_ == 0) return nullptr;
  const OverlayKey search(key);
  const Leaf* const leaf = LeafOf(search);
  const size_t index = LowerIndex(*leaf, search);
  return index < leaf->size && !Less(search, leaf->slots[index]) ? leaf->slots[index].entry : nullptr;
}

OverlayTree::Entry& OverlayTree::Insert(std::string_view key) {
  const OverlayKey search(key);
  std::array<Step, kDepthMax> path;
  Leaf* leaf = hint_;
  if (!IsInHint(search)) {
    void* node = root_;
    for (size_t level = 0; level < depth_; level++) {
      auto* const branch = static_cast<Branch*>(node);
      path[level] = {branch, ChildIndex(*branch, search)};
      node = branch->children[path[level].child];
    }
    leaf = static_cast<Leaf*>(node);
  }
  size_t index = LowerIndex(*leaf, search);
  if (index < leaf->size && !Less(search, leaf->slots[index])) {
    hint_ = leaf;
    return *leaf->slots[index].entry;
  }
  Entry* const entry = NewEntry(key);
  if (leaf->size == kWidth) leaf = Split(leaf, &index, &path, entry);
  InsertAt(leaf, index, entry);
  hint_ = leaf;
  return *entry;
}

bool OverlayTree::Less(const Slot& slot, const OverlayKey& key) {
  return slot.prefix != key.prefix ? slot.prefix < key.prefix : slot.entry->key.bytes < key.bytes;
}

bool OverlayTree::Less(const OverlayKey& key, const Slot& slot) {
  return slot.prefix != key.prefix ? key.prefix < slot.prefix : key.bytes < slot.entry->key.bytes;
}

size_t OverlayTree::LowerIndex(const Leaf& leaf, const OverlayKey& key) {
  const auto* const begin = leaf.slots.data();
  const auto* const found =
      std::lower_bound(begin, begin + leaf.size, key,
                       [](const Slot& slot, const OverlayKey& wanted) { return Less(slot, wanted); });
  return static_cast<size_t>(found - begin);
}

size_t OverlayTree::ChildIndex(const Branch& branch, const OverlayKey& key) {
  const auto* const begin = branch.separators.data();
  const auto* const found =
      std::upper_bound(begin, begin + branch.size - 1, key,
                       [](const OverlayKey& wanted, const Slot& slot) { return Less(wanted, slot); });
  return static_cast<size_t>(found - begin);
}

const OverlayTree::Leaf* OverlayTree::LeafOf(const OverlayKey& key) const {
  const void* node = root_;
  for (size_t level = 0; level < depth_; level++) {
    const auto* const branch = static_cast<const Branch*>(node);
    node = branch->children[ChildIndex(*branch, key)];
  }
  return static_cast<const Leaf*>(node);
}

OverlayTree::Iterator OverlayTree::At(const Leaf* leaf, size_t index) const {
  if (index == leaf->size && leaf->after != nullptr) {
    leaf = leaf->after;
    index = 0;
  }
  // For a walk that begins here.
  for (size_t i = index; i < std::min(index + kFetchAhead, leaf->size); i++) FetchAhead(leaf->slots[i].entry);
  return {leaf, index};
}

bool OverlayTree::IsInHint(const OverlayKey& key) const {
  const Leaf& leaf = *hint_;
  if (leaf.size == 0 || leaf.size == kWidth || Less(key, leaf.slots[0])) return false;
  return leaf.after == nullptr || !Less(leaf.slots[leaf.size - 1], key);
}

OverlayTree::Entry* OverlayTree::NewEntry(std::string_view key) {
  void* const memory = arena_->allocate(sizeof(Entry) + key.size(), alignof(Entry));
  char* const copy = static_cast<char*>(memory) + sizeof(Entry);
  if (!key.empty()) std::memcpy(copy, key.data(), key.size());
  return new (memory) Entry{OverlayKey({copy, key.size()}), {nullptr, 0, 0, 0, true, false}};
}

void OverlayTree::InsertAt(Leaf* leaf, size_t index, Entry* entry) {
  Slot* const slots = leaf->slots.data();
  std::copy_backward(slots + index, slots + leaf->size, slots + leaf->size + 1);
  slots[index] = {entry->key.prefix, entry};
  leaf->size++;
  size_++;
}

OverlayTree::Leaf* OverlayTree::Split(Leaf* leaf, size_t* index, std::array<Step, kDepthMax>* path,
                                      Entry* entry) {
  auto* const right = new (arena_->allocate(sizeof(Leaf), alignof(Leaf))) Leaf;
  right->before = leaf;
  right->after = leaf->after;
  (leaf->after == nullptr ? last_ : leaf->after->before) = right;
  leaf->after = right;
  // Ascending changes leave full leaves behind them.
  if (*index == kWidth) {
    *index = 0;
    AddChild(path, {entry->key.prefix, entry}, right);
    return right;
  }
  constexpr size_t kHalf = kWidth / 2;
  std::copy(leaf->slots.begin() + kHalf, leaf->slots.end(), right->slots.begin());
  right->size = kWidth - kHalf;
  leaf->size = kHalf;
  AddChild(path, right->slots[0], right);
  // At the border it stays on the left: the separator is the first of the right.
  if (*index <= kHalf) return leaf;
  *index -= kHalf;
  return right;
}

void OverlayTree::AddChild(std::array<Step, kDepthMax>* path, Slot separator, void* child) {
  for (size_t level = depth_; level-- > 0;) {
    const auto [branch, at] = (*path)[level];
    Branch* into = branch;
    size_t place = at;  // of the separator; the child's is the one behind it
    Branch* right = nullptr;
    Slot raised{};
    if (branch->size == kWidth) {
      right = new (arena_->allocate(sizeof(Branch), alignof(Branch))) Branch;
      // At the right edge, as in a leaf, the new one begins with as little as a branch may have.
      const size_t kept = place == kWidth - 1 ? kWidth - 1 : kWidth / 2;
      right->size = kWidth - kept;
      std::copy(branch->children.begin() + kept, branch->children.end(), right->children.begin());
      std::copy(branch->separators.begin() + kept, branch->separators.end(), right->separators.begin());
      raised = branch->separators[kept - 1];
      branch->size = kept;
      if (place >= kept) {
        into = right;
        place -= kept;
      }
    }
    Slot* const separators = into->separators.data();
    void** const children = into->children.data();
    std::copy_backward(separators + place, separators + into->size - 1, separators + into->size);
    std::copy_backward(children + place + 1, children + into->size, children + into->size + 1);
    separators[place] = separator;
    children[place + 1] = child;
    into->size++;
    if (right == nullptr) return;
    separator = raised;
    child = right;
  }
  auto* const root = new (arena_->allocate(sizeof(Branch), alignof(Branch))) Branch;
  root->size = 2;
  root->children[0] = root_;
  root->children[1] = child;
  root->separators[0] = separator;
  root_ = root;
  depth_++;
}

}  // namespace weir
