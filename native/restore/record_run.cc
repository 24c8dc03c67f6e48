#include "restore/record_run.h"

#include <algorithm>

namespace weir {

void RecordRun::Clear() {
  records_.clear();
  entries_.clear();
  sorted_.clear();
}

void RecordRun::Add(const ChangelogRecord& record) {
  entries_.push_back({OverlayKey(record.key), static_cast<uint32_t>(records_.size())});
  records_.push_back(record);
}

const std::vector<ChangelogRecord>& RecordRun::Sorted() {
  const OverlayKeyLess less;
  std::sort(entries_.begin(), entries_.end(), [&less](const Entry& a, const Entry& b) {
    if (less(a.key, b.key)) return true;
    if (less(b.key, a.key)) return false;
    return a.index < b.index;
  });
  sorted_.clear();
  for (size_t i = 0; i < entries_.size(); i++) {
    const bool last_of_key = i + 1 == entries_.size() || entries_[i].key.bytes != entries_[i + 1].key.bytes;
    if (last_of_key) sorted_.push_back(records_[entries_[i].index]);
  }
  return sorted_;
}

}  // namespace weir
