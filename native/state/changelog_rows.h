#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "state/segments.h"

namespace weir {

// A record of a changelog, to be restored.
struct ChangelogRecord {
  std::string_view key;
  std::optional<std::string_view> value;  // nullopt deletes
  int64_t timestamp_ms;
  int64_t offset = -1;  // -1: nobody has to know
};

// A row of a store as its changelog says it. The value is `head` and `tail` together: what the changelog leaves
// out, and what it carries.
struct RestoredRow {
  std::string_view key;
  bool deleted;
  std::string_view head;
  std::string_view tail;
};

// Makes one store's rows of its changelog's records: the opposite of what a drain does.
//
// Threading: one thread.
class ChangelogRows {
 public:
  // `store`: its name. `timestamped`: rows begin with the record's timestamp. `observed`: of a segmented store, by the
  // rows that it has.
  ChangelogRows(std::string store, bool timestamped, const std::optional<SegmentSettings>& segments,
                const Observed& observed);

  // Lets time pass in a segmented store. Fails for a key that is none of its keys.
  Status Observe(const ChangelogRecord& record);
  // Points into the record and into this object: valid until the next call. REQUIRES: the record was observed.
  RestoredRow RowOf(const ChangelogRecord& record);

  const Observed& observed() const { return observed_; }
  // False for the row of a segment that has expired by what was observed.
  bool IsLive(std::string_view key) const { return key >= live_from_; }
  // The first key that is live; empty when none can expire.
  const std::string& live_from() const { return live_from_; }

 private:
  const std::string store_;
  const bool timestamped_;
  const std::optional<SegmentSettings> segments_;
  Observed observed_;
  std::string live_from_;
  std::string key_;
  char timestamp_[8];
};

}  // namespace weir
