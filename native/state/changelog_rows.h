#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

// A record of a changelog, to be restored.
struct ChangelogRecord {
  std::string_view key;
  std::optional<std::string_view> value;  // nullopt deletes
  int64_t timestamp_ms;
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
  // `timestamped`: rows begin with the record's timestamp.
  explicit ChangelogRows(bool timestamped) : timestamped_(timestamped) {}

  // Points into the record and into this object: valid until the next call.
  RestoredRow RowOf(const ChangelogRecord& record);

 private:
  const bool timestamped_;
  char timestamp_[8];
};

}  // namespace weir
