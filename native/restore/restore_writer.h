#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/status.h"
#include "state/task_database.h"

namespace weir {

// How one store takes its changelog. There is one of these for each way: a bulk restore and direct writes keep
// the last value of each key; a versioned store takes every record, in order.
//
// Work is done in slices, so that a thread restores several stores by turns.
//
// Threading: one restore thread. REQUIRES: the database outlives it; nobody else writes to the store.
class RestoreWriter {
 public:
  virtual ~RestoreWriter() = default;

  // Takes the next records; copies what it keeps. `next_offset` follows the last of them.
  // REQUIRES: !busy(); Finish was not called.
  virtual Status Write(const std::vector<ChangelogRecord>& records, int64_t next_offset) = 0;
  // All records have come. When it is not busy any more, the store has them all, with `next_offset`.
  // REQUIRES: !busy().
  virtual Status Finish(int64_t next_offset) = 0;
  // There is work to be done before the next call.
  virtual bool busy() const { return false; }
  // Does a slice of it. REQUIRES: busy().
  virtual Status Work() { return Status::Ok(); }
};

// From so many records on a restore of an empty store is done in bulk, and counts as a long one. Measured with
// rows of 116 bytes, four records a key, CPU time of direct writes and of bulk: 20,000 records 10 and 9 ms,
// 50,000 records 40 and 20 ms, 100,000 records 90 and 41 ms, a million 1.4 and 0.7 s.
inline constexpr int64_t kBulkRecordsMin = 50'000;

// The writer for a store that `records` will come for, at most. It takes `memory_bytes`, whatever comes.
Result<std::unique_ptr<RestoreWriter>> NewRestoreWriter(TaskDatabase& database, size_t store, int64_t records,
                                                        size_t memory_bytes);

}  // namespace weir
