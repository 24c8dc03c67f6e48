#pragma once

#include "restore/record_run.h"
#include "restore/restore_writer.h"

namespace weir {

// Writes each batch to the database as it comes, with its offset.
class DirectWriter final : public RestoreWriter {
 public:
  DirectWriter(TaskDatabase& database, size_t store) : database_(database), store_(store) {}

  Status Write(const std::vector<ChangelogRecord>& records, int64_t next_offset) override;
  Status Finish(int64_t next_offset) override { return database_.WriteRestored(store_, {}, next_offset); }

 private:
  TaskDatabase& database_;
  const size_t store_;
  RecordRun run_;
};

}  // namespace weir
