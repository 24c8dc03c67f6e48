#include "restore/row_table.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace weir {

namespace {

constexpr size_t kRowRounding = 16;
constexpr size_t kCacheLine = 64;
// Of a key and its row; of longer ones the processor fetches on by itself.
constexpr size_t kPrefetchMax = 4 * kCacheLine;

size_t CommonPrefix(std::string_view a, std::string_view b) {
  const size_t length = std::min(a.size(), b.size());
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + length, b.begin()).first - a.begin());
}

// Orders as the bytes do; the same for keys that differ later, or by zeros.
uint64_t OrderOf(std::string_view key) {
  uint64_t bytes = 0;
  if (!key.empty()) std::memcpy(&bytes, key.data(), std::min(key.size(), sizeof(bytes)));
  return __builtin_bswap64(bytes);
}

}  // namespace

class RowTable::Rows final : public SortedRows {
 public:
  explicit Rows(const std::vector<Entry>& entries) : entries_(entries) {}

  Status Next() override {
    next_++;
    return Status::Ok();
  }
  bool valid() const override { return next_ <= entries_.size(); }
  std::string_view key() const override { return entry().key_bytes(); }
  bool deleted() const override { return entry().row_length == kDeleted; }
  std::string_view row() const override {
    return deleted() ? std::string_view() : std::string_view(entry().row(), entry().row_length);
  }

 private:
  const Entry& entry() const { return entries_[next_ - 1]; }

  const std::vector<Entry>& entries_;
  size_t next_ = 0;
};

uint64_t RowTable::HashOf(std::string_view bytes) { return std::hash<std::string_view>()(bytes); }

void RowTable::PrefetchSlot(uint64_t hash) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
}

void RowTable::PrefetchEntry(uint64_t hash) const {
  if (const Entry* const entry = Likely(hash); entry != nullptr) __builtin_prefetch(entry);
}

void RowTable::PrefetchKey(uint64_t hash) const {
  const Entry* const entry = Likely(hash);
  if (entry == nullptr) return;
  for (size_t at = 0; at <= entry->key_length + entry->row_capacity && at < kPrefetchMax; at += kCacheLine)
    __builtin_prefetch(entry->key + at);
}

const RowTable::Entry* RowTable::Likely(uint64_t hash) const {
  if (slots_.empty()) return nullptr;
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
    if (slots_[at] >> 32 == hash >> 32) return &entries_[(slots_[at] & UINT32_MAX) - 1];
  }
  return nullptr;
}

void RowTable::Put(const RestoredRow& row, uint64_t hash) {
  const size_t length = row.deleted ? 0 : row.head.size() + row.tail.size();
  Entry& entry = EntryOf(row.key, hash, length);
  if (length > entry.row_capacity) Place(entry, row.key, length);
  entry.row_length = row.deleted ? kDeleted : static_cast<uint32_t>(length);
  if (length == 0) return;
  if (!row.head.empty()) std::memcpy(entry.row(), row.head.data(), row.head.size());
  if (!row.tail.empty()) std::memcpy(entry.row() + row.head.size(), row.tail.data(), row.tail.size());
}

RowTable::Entry& RowTable::EntryOf(std::string_view key, uint64_t hash, size_t row_length) {
  if (slots_.size() < 2 * (entries_.size() + 1)) Grow();
  const uint64_t tag = hash >> 32;
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    uint64_t& slot = slots_[at];
    if (slot == 0) {
      slot = tag << 32 | (entries_.size() + 1);
      Entry& entry = entries_.emplace_back();
      entry.order = hash;
      Place(entry, key, row_length);
      common_prefix_ = entries_.size() == 1
                           ? key.size()
                           : CommonPrefix(key, entries_.front().key_bytes().substr(0, common_prefix_));
      return entry;
    }
    if (slot >> 32 != tag) continue;
    Entry& entry = entries_[(slot & UINT32_MAX) - 1];
    if (entry.key_bytes() == key) return entry;
  }
}

void RowTable::Place(Entry& entry, std::string_view key, size_t row_length) {
  // The next row is often a little longer.
  const size_t capacity = (row_length + kRowRounding - 1) / kRowRounding * kRowRounding;
  char* const memory = arena_.Allocate(key.size() + capacity);
  if (!key.empty()) std::memcpy(memory, key.data(), key.size());
  entry.key = memory;
  entry.key_length = static_cast<uint32_t>(key.size());
  entry.row_capacity = static_cast<uint32_t>(capacity);
}

void RowTable::Grow() {
  std::vector<uint64_t> slots(std::max(kSlotsMin, slots_.size() * 2));
  const size_t mask = slots.size() - 1;
  for (size_t i = 0; i < entries_.size(); i++) {
    const uint64_t hash = entries_[i].order;
    size_t at = hash & mask;
    while (slots[at] != 0) at = (at + 1) & mask;
    slots[at] = hash >> 32 << 32 | (i + 1);
  }
  slots_ = std::move(slots);
}

size_t RowTable::bytes() const {
  // A vector that doubles has half of what it holds to spare, on average.
  return arena_.used() + entries_.size() * sizeof(Entry) * 3 / 2 + slots_.size() * sizeof(uint64_t);
}

std::unique_ptr<SortedRows> RowTable::Sort() {
  for (Entry& entry : entries_) entry.order = OrderOf(entry.key_bytes().substr(common_prefix_));
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return a.order != b.order ? a.order < b.order : a.key_bytes() < b.key_bytes();
  });
  return std::make_unique<Rows>(entries_);
}

void RowTable::Clear() {
  arena_.Reset();
  entries_.clear();
  slots_.clear();
}

}  // namespace weir
