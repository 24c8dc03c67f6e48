#include "state/overlay.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace weir {

namespace {

// A walk over the rows fetches them ahead; sorting looks at each change many times, and waits for memory where keys begin with the same bytes.
constexpr size_t kRowsWalkedForOneSorted = 8;

}  // namespace

void Overlay::Put(std::string_view key, std::optional<std::string_view> value, int64_t timestamp_ms) {
  const size_t bytes_before = bytes();
  const size_t rows_before = rows_->size();
  Entry& entry = rows_->Insert(key);
  Row& row = entry.row;
  if (!row.changed) {
    row.changed = true;
    changed_.push_back(&entry);
    // A new row's are counted as they are taken from the arena, below.
    if (rows_->size() == rows_before) changed_bytes_ += sizeof(Entry) + key.size() + row.capacity;
  }
  row.timestamp_ms = timestamp_ms;
  row.deleted = !value.has_value();
  const size_t length = value.has_value() ? value->size() : 0;
  if (length > row.capacity) {
    // A row that grows at each change takes memory for twice its length, not for the sum of all its lengths.
    const size_t grown = std::min<size_t>(size_t{2} * row.capacity, UINT32_MAX);
    row.capacity = static_cast<uint32_t>(std::max(length, grown));
    row.data = arena_.Allocate(row.capacity);
  }
  row.length = static_cast<uint32_t>(length);
  if (length > 0) std::memcpy(row.data, value->data(), length);
  changed_bytes_ += bytes() - bytes_before;
}

const Overlay::Row* Overlay::Find(std::string_view key) const {
  const OverlayTree::Entry* const found = rows_->Find(key);
  return found == nullptr ? nullptr : &found->row;
}

const std::vector<Overlay::Entry*>& Overlay::SortedChanges() {
  if (changed_.size() > rows_->size() / kRowsWalkedForOneSorted) {
    changed_.clear();
    for (auto at = rows_->begin(); at != rows_->end(); ++at)
      if (at->row.changed) changed_.push_back(&rows_->At(at));
    return changed_;
  }
  const OverlayKeyLess less;
  std::sort(changed_.begin(), changed_.end(),
            [&less](const Entry* a, const Entry* b) { return less(a->key, b->key); });
  return changed_;
}

void Overlay::KeepChanges() {
  for (Entry* const entry : changed_) entry->row.changed = false;
  changed_.clear();
  changed_bytes_ = 0;
}

void Overlay::Clear() {
  changed_.clear();
  changed_bytes_ = 0;
  arena_.Reset();
  rows_ = new (arena_.allocate(sizeof(OverlayTree), alignof(OverlayTree))) OverlayTree(&arena_);
}

}  // namespace weir
