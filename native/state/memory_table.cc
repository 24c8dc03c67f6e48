#include "state/memory_table.h"

#include <rocksdb/slice.h>
#include <rocksdb/status.h>

#include <iterator>
#include <utility>

namespace weir {

namespace {

// A node of the tree: colour and three pointers, then key and value.
constexpr size_t kNodeBytes = 4 * sizeof(void*) + sizeof(MemoryTable::Map::value_type);
// What malloc adds to each piece.
constexpr size_t kAllocationBytes = 16;

size_t TextBytes(const std::string& text) {
  static const size_t inline_capacity = std::string().capacity();
  return text.capacity() > inline_capacity ? text.capacity() + 1 + kAllocationBytes : 0;
}

size_t RowBytes(const MemoryTable::Map::value_type& row) {
  return kNodeBytes + kAllocationBytes + TextBytes(row.first) + TextBytes(row.second);
}

// A walk over the rows within its bounds, with RocksDB's interface, so that a scan merges either.
class MemoryIterator final : public rocksdb::Iterator {
 public:
  MemoryIterator(const MemoryTable::Map& rows, std::optional<std::string_view> from,
                 std::optional<std::string_view> to)
      : begin_(from.has_value() ? rows.lower_bound(*from) : rows.begin()),
        end_(to.has_value() ? rows.lower_bound(*to) : rows.end()),
        at_(end_) {
    // Bounds in the wrong order hold nothing.
    if (from.has_value() && to.has_value() && *from > *to) begin_ = end_;
  }

  bool Valid() const override { return at_ != end_; }
  void SeekToFirst() override { at_ = begin_; }
  void SeekToLast() override { at_ = begin_ == end_ ? end_ : std::prev(end_); }
  void Seek(const rocksdb::Slice& target) override {
    at_ = begin_;
    while (at_ != end_ && at_->first < std::string_view(target.data(), target.size())) ++at_;
  }
  void SeekForPrev(const rocksdb::Slice& target) override {
    SeekToLast();
    while (Valid() && at_->first > std::string_view(target.data(), target.size())) Prev();
  }
  void Next() override { ++at_; }
  void Prev() override { at_ = at_ == begin_ ? end_ : std::prev(at_); }
  rocksdb::Slice key() const override { return at_->first; }
  rocksdb::Slice value() const override { return at_->second; }
  rocksdb::Status status() const override { return rocksdb::Status::OK(); }

 private:
  MemoryTable::Map::const_iterator begin_;
  MemoryTable::Map::const_iterator end_;
  // end_: at no row.
  MemoryTable::Map::const_iterator at_;
};

}  // namespace

void MemoryTable::Put(std::string_view key, std::optional<std::string_view> value) {
  PutAt(rows_.lower_bound(key), key, value);
}

void MemoryTable::EraseBefore(std::string_view key) {
  auto at = rows_.begin();
  while (at != rows_.end() && std::string_view(at->first) < key) {
    bytes_ -= RowBytes(*at);
    at = rows_.erase(at);
  }
}

void MemoryTable::Fold(const Overlay& overlay) {
  auto at = rows_.begin();
  for (const auto& [key, row] : overlay.rows()) {
    // Keys ascend, so all before `at` is less. Changes are often neighbours in the tree; else it is searched.
    if (at != rows_.end() && at->first < key.bytes) ++at;
    if (at != rows_.end() && at->first < key.bytes) at = rows_.lower_bound(key.bytes);
    at = PutAt(at, key.bytes, row.deleted ? std::nullopt : std::optional(row.value()));
  }
}

MemoryTable::Map::iterator MemoryTable::PutAt(Map::iterator at, std::string_view key,
                                              std::optional<std::string_view> value) {
  const bool present = at != rows_.end() && at->first == key;
  if (present) bytes_ -= RowBytes(*at);
  if (!value.has_value()) return present ? rows_.erase(at) : at;
  if (!present) {
    at = rows_.emplace_hint(at, std::string(key), std::string(*value));
  } else if (value->size() > at->second.capacity() || value->size() < at->second.capacity() / 2) {
    // A row that has shrunk gives its memory back; a grown one takes what it needs and no more.
    at->second = std::string(*value);
  } else {
    at->second.assign(*value);
  }
  bytes_ += RowBytes(*at);
  return at;
}

const std::string* MemoryTable::Find(std::string_view key) const {
  const auto found = rows_.find(key);
  return found == rows_.end() ? nullptr : &found->second;
}

std::unique_ptr<rocksdb::Iterator> MemoryTable::NewIterator(std::optional<std::string_view> from,
                                                            std::optional<std::string_view> to) const {
  return std::make_unique<MemoryIterator>(rows_, from, to);
}

void MemoryTable::Clear() {
  rows_.clear();
  bytes_ = 0;
}

}  // namespace weir
