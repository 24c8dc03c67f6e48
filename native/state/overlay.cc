#include "state/overlay.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace weir {

void Overlay::Put(std::string_view key, std::optional<std::string_view> value, int64_t timestamp_ms) {
  Row& row = rows_->Insert(key);
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
}

const Overlay::Row* Overlay::Find(std::string_view key) const {
  const OverlayTree::Entry* const found = rows_->Find(key);
  return found == nullptr ? nullptr : &found->row;
}

void Overlay::Clear() {
  arena_.Reset();
  rows_ = new (arena_.allocate(sizeof(OverlayTree), alignof(OverlayTree))) OverlayTree(&arena_);
}

}  // namespace weir
