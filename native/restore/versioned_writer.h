#pragma once

#include <algorithm>

#include "restore/restore_writer.h"

namespace weir {

// Puts every record of a batch into a versioned store, in order, and writes the rows that come of it with the offset.
//
// Memory: half of the limit for rows; more than that are written in several steps, each with its own offset.
class VersionedWriter final : public RestoreWriter {
 public:
  VersionedWriter(TaskDatabase& database, size_t store, size_t memory_bytes)
      : database_(database), store_(store), memory_bytes_(std::max<size_t>(memory_bytes / 2, 1)) {}

  Status Write(const std::vector<ChangelogRecord>& records, int64_t next_offset) override {
    return database_.WriteRestoredVersions(store_, records, next_offset, memory_bytes_);
  }
  Status Finish(int64_t next_offset) override { return database_.WriteRestored(store_, {}, next_offset); }

 private:
  TaskDatabase& database_;
  const size_t store_;
  const size_t memory_bytes_;
};

}  // namespace weir
