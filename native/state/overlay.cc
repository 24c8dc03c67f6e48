#include "state/overlay.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <new>

namespace weir {

OverlayKey::OverlayKey(std::string_view key) : bytes(key) {
  if (key.size() >= sizeof(prefix)) {
    std::memcpy(&prefix, key.data(), sizeof(prefix));
  } else {
    prefix = 0;
    if (!key.empty()) std::memcpy(&prefix, key.data(), key.size());
  }
  prefix = __builtin_bswap64(prefix);
}

void Overlay::Put(std::string_view key, std::optional<std::string_view> value, int64_t timestamp_ms) {
  const OverlayKey search(key);
  const OverlayKeyLess less;
  auto at = last_;
  if (at != rows_->end() && less(at->first, search)) {
    ++at;
    if (at == rows_->end() || less(search, at->first)) {
      last_ = Insert(at, key);
      Write(last_->second, value, timestamp_ms);
      return;
    }
  }
  at = rows_->lower_bound(search);
  last_ = at != rows_->end() && !less(search, at->first) ? at : Insert(at, key);
  Write(last_->second, value, timestamp_ms);
}

const Overlay::Row* Overlay::Find(std::string_view key) const {
  if (rows_->empty()) return nullptr;
  const auto found = rows_->find(OverlayKey(key));
  return found == rows_->end() ? nullptr : &found->second;
}

void Overlay::Clear() {
  arena_.Reset();
  rows_ = new (arena_.allocate(sizeof(Map), alignof(Map))) Map(&arena_);
  last_ = rows_->end();
}

Overlay::Map::iterator Overlay::Insert(Map::iterator hint, std::string_view key) {
  char* const copy = arena_.Allocate(key.size());
  if (!key.empty()) std::memcpy(copy, key.data(), key.size());
  return rows_->emplace_hint(hint, OverlayKey({copy, key.size()}), Row{nullptr, 0, 0, 0, true});
}

void Overlay::Write(Row& row, std::optional<std::string_view> value, int64_t timestamp_ms) {
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

}  // namespace weir
