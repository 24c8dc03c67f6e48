#include "state/changelog_rows.h"

#include "state/offsets.h"

namespace weir {

RestoredRow ChangelogRows::RowOf(const ChangelogRecord& record) {
  if (!record.value.has_value()) return {record.key, true, {}, {}};
  if (!timestamped_) return {record.key, false, {}, *record.value};
  PutInt64(timestamp_, record.timestamp_ms);
  return {record.key, false, {timestamp_, sizeof(timestamp_)}, *record.value};
}

}  // namespace weir
