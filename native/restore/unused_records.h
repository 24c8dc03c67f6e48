#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "state/changelog_rows.h"

namespace weir {

// The keys of changelog records that a restore does not apply.
//
// Threading: one thread.
class UnusedRecords {
 public:
  // So many records are remembered at the most: as many as can be uncommitted, with much to spare.
  static constexpr int64_t kRecordsMax = 1'000'000;

  // Copies the key.
  void Add(const ChangelogRecord& record) {
    timestamps_.insert_or_assign(std::string(record.key), record.timestamp_ms);
  }
  // Each key once, without values. Valid until the next Add.
  std::vector<ChangelogRecord> Keys() const {
    std::vector<ChangelogRecord> keys;
    keys.reserve(timestamps_.size());
    for (const auto& [key, timestamp_ms] : timestamps_) keys.push_back({key, std::nullopt, timestamp_ms});
    return keys;
  }

 private:
  std::unordered_map<std::string, int64_t> timestamps_;  // of the last record of each key
};

}  // namespace weir
