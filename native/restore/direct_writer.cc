#include "restore/direct_writer.h"

namespace weir {

Status DirectWriter::Write(const std::vector<ChangelogRecord>& records, int64_t next_offset) {
  run_.Clear();
  for (const ChangelogRecord& record : records) run_.Add(record);
  return database_.WriteRestored(store_, run_.Sorted(), next_offset);
}

}  // namespace weir
