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

// The 8 bytes of a key from `begin` on, as a number in byte order; zeros for those that it has not. REQUIRES begin <= key.size().
uint64_t Prefix(std::string_view key, size_t begin) {
  uint64_t prefix = 0;
  const size_t length = key.size() - begin;
  if (length >= sizeof(prefix)) {
    std::memcpy(&prefix, key.data() + begin, sizeof(prefix));
  } else if (length > 0) {
    std::memcpy(&prefix, key.data() + begin, length);
  }
  return __builtin_bswap64(prefix);
}

size_t SharedBytes(std::string_view a, std::string_view b) {
  const size_t length = std::min(a.size(), b.size());
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + length, b.begin()).first - a.begin());
}

}  // namespace

OverlayKey::OverlayKey(std::string_view key) : prefix(Prefix(key, 0)), bytes(key) {}

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

// A key, and how it lies to the slots of one node.
class OverlayTree::Search {
 public:
  Search(const Leaf& leaf, std::string_view key) : Search(leaf.slots.data(), leaf.size, leaf.shared, key) {}
  Search(const Branch& branch, std::string_view key)
      : Search(branch.separators.data(), branch.size - 1, branch.shared, key) {}

  // Below 0: it comes before all of them, which their shared bytes say already. Above 0: behind them.
  int outside() const { return outside_; }
  bool IsLessThan(const Slot& slot) const {
    return prefix_ != slot.prefix ? prefix_ < slot.prefix : key_ < slot.entry->key.bytes;
  }
  bool IsGreaterThan(const Slot& slot) const {
    return prefix_ != slot.prefix ? prefix_ > slot.prefix : key_ > slot.entry->key.bytes;
  }
  bool IsEqualTo(const Slot& slot) const { return prefix_ == slot.prefix && key_ == slot.entry->key.bytes; }

 private:
  Search(const Slot* slots, size_t size, size_t shared, std::string_view key) : key_(key) {
    if (size > 0 && shared > 0)
      outside_ = key.substr(0, shared).compare(slots[0].entry->key.bytes.substr(0, shared));
    if (outside_ == 0) prefix_ = Prefix(key, shared);
  }

  std::string_view key_;
  int outside_ = 0;
  uint64_t prefix_ = 0;
};

OverlayTree::Iterator OverlayTree::LowerBound(std::string_view key) const {
  const Leaf* const leaf = LeafOf(key);
  return At(leaf, LowerIndex(*leaf, Search(*leaf, key)));
}

OverlayTree::Iterator OverlayTree::UpperBound(std::string_view key) const {
  const Leaf* const leaf = LeafOf(key);
  const Search search(*leaf, key);
  const size_t index = LowerIndex(*leaf, search);
  return At(leaf, Holds(*leaf, index, search) ? index + 1 : index);
}

const OverlayTree::Entry* OverlayTree::Find(std::string_view key) const {
  if (size_ == 0) return nullptr;
  const Leaf* const leaf = LeafOf(key);
  const Search search(*leaf, key);
  const size_t index = LowerIndex(*leaf, search);
  return Holds(*leaf, index, search) ? leaf->slots[index].entry : nullptr;
}

OverlayTree::Entry& OverlayTree::Insert(std::string_view key) {
  std::array<Step, kDepthMax> path;
  Leaf* leaf = hint_;
  Search search(*leaf, key);
  if (!IsInHint(search)) {
    void* node = root_;
    for (size_t level = 0; level < depth_; level++) {
      auto* const branch = static_cast<Branch*>(node);
      path[level] = {branch, ChildIndex(*branch, key)};
      node = branch->children[path[level].child];
    }
    leaf = static_cast<Leaf*>(node);
    search = Search(*leaf, key);
  }
  size_t index = LowerIndex(*leaf, search);
  if (Holds(*leaf, index, search)) {
    hint_ = leaf;
    return *leaf->slots[index].entry;
  }
  Entry* const entry = NewEntry(key);
  if (leaf->size == kWidth) leaf = Split(leaf, &index, &path, entry);
  InsertAt(leaf, index, entry);
  hint_ = leaf;
  return *entry;
}

size_t OverlayTree::LowerIndex(const Leaf& leaf, const Search& search) {
  const Slot* const begin = leaf.slots.data();
  if (search.outside() != 0) return search.outside() < 0 ? 0 : leaf.size;
  const Slot* const found =
      std::lower_bound(begin, begin + leaf.size, search,
                       [](const Slot& slot, const Search& wanted) { return wanted.IsGreaterThan(slot); });
  return static_cast<size_t>(found - begin);
}

bool OverlayTree::Holds(const Leaf& leaf, size_t index, const Search& search) {
  return index < leaf.size && search.outside() == 0 && search.IsEqualTo(leaf.slots[index]);
}

size_t OverlayTree::ChildIndex(const Branch& branch, std::string_view key) {
  const Slot* const begin = branch.separators.data();
  const size_t size = branch.size - 1;
  const Search search(branch, key);
  if (search.outside() != 0) return search.outside() < 0 ? 0 : size;
  const Slot* const found =
      std::upper_bound(begin, begin + size, search,
                       [](const Search& wanted, const Slot& slot) { return wanted.IsLessThan(slot); });
  return static_cast<size_t>(found - begin);
}

void OverlayTree::Share(Slot* slots, size_t size, size_t* shared) {
  const size_t in_common =
      size < 2 ? 0 : SharedBytes(slots[0].entry->key.bytes, slots[size - 1].entry->key.bytes);
  if (in_common == *shared) return;
  *shared = in_common;
  for (size_t i = 0; i < size; i++) slots[i].prefix = Prefix(slots[i].entry->key.bytes, in_common);
}

const OverlayTree::Leaf* OverlayTree::LeafOf(std::string_view key) const {
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

bool OverlayTree::IsInHint(const Search& search) const {
  const Leaf& leaf = *hint_;
  if (leaf.size == 0 || leaf.size == kWidth) return false;
  if (search.outside() < 0 || (search.outside() == 0 && search.IsLessThan(leaf.slots[0]))) return false;
  if (leaf.after == nullptr) return true;
  return search.outside() == 0 && !search.IsGreaterThan(leaf.slots[leaf.size - 1]);
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
  slots[index] = {Prefix(entry->key.bytes, leaf->shared), entry};
  leaf->size++;
  size_++;
  // Between two keys that share bytes all others do.
  if (index == 0 || index == leaf->size - 1) Share(slots, leaf->size, &leaf->shared);
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
    AddChild(path, entry, right);
    return right;
  }
  constexpr size_t kHalf = kWidth / 2;
  std::copy(leaf->slots.begin() + kHalf, leaf->slots.end(), right->slots.begin());
  right->size = kWidth - kHalf;
  right->shared = leaf->shared;
  leaf->size = kHalf;
  Share(right->slots.data(), right->size, &right->shared);
  Share(leaf->slots.data(), leaf->size, &leaf->shared);
  AddChild(path, right->slots[0].entry, right);
  // At the border it stays on the left: the separator is the first of the right.
  if (*index <= kHalf) return leaf;
  *index -= kHalf;
  return right;
}

void OverlayTree::AddChild(std::array<Step, kDepthMax>* path, Entry* separator, void* child) {
  for (size_t level = depth_; level-- > 0;) {
    const auto [branch, at] = (*path)[level];
    Branch* into = branch;
    size_t place = at;  // of the separator; the child's is the one behind it
    Branch* right = nullptr;
    Entry* raised = nullptr;
    if (branch->size == kWidth) {
      right = new (arena_->allocate(sizeof(Branch), alignof(Branch))) Branch;
      // At the right edge, as in a leaf, the new one begins with as little as a branch may have.
      const size_t kept = place == kWidth - 1 ? kWidth - 1 : kWidth / 2;
      right->size = kWidth - kept;
      std::copy(branch->children.begin() + kept, branch->children.end(), right->children.begin());
      std::copy(branch->separators.begin() + kept, branch->separators.end(), right->separators.begin());
      raised = branch->separators[kept - 1].entry;
      right->shared = branch->shared;
      branch->size = kept;
      Share(right->separators.data(), right->size - 1, &right->shared);
      Share(branch->separators.data(), branch->size - 1, &branch->shared);
      if (place >= kept) {
        into = right;
        place -= kept;
      }
    }
    Slot* const separators = into->separators.data();
    void** const children = into->children.data();
    std::copy_backward(separators + place, separators + into->size - 1, separators + into->size);
    std::copy_backward(children + place + 1, children + into->size, children + into->size + 1);
    separators[place] = {Prefix(separator->key.bytes, into->shared), separator};
    children[place + 1] = child;
    into->size++;
    if (place == 0 || place == into->size - 2) Share(separators, into->size - 1, &into->shared);
    if (right == nullptr) return;
    separator = raised;
    child = right;
  }
  auto* const root = new (arena_->allocate(sizeof(Branch), alignof(Branch))) Branch;
  root->size = 2;
  root->children[0] = root_;
  root->children[1] = child;
  root->separators[0] = {Prefix(separator->key.bytes, 0), separator};
  root_ = root;
  depth_++;
}

}  // namespace weir
