#pragma once

#include <memory>
#include <string>
#include <vector>

#include "restore/restore_writer.h"
#include "restore/row_table.h"
#include "restore/run_file.h"
#include "restore/run_merge.h"

namespace weir {

// Restores an empty store from much of a changelog.
//
//   records ──> table ──full──> run ──16 of a size──> longer run ─┐
//                 └──────────────── at the end ───────────────────┴─> one merge ──> SST files ──> ingested
//
// The table and each run hold the last row of each key. The files of the one merge do not overlap and become the
// store's only level, with the offset, atomically: until then the database does not change, and a crash or a
// stop leaves it as it was.
//
// Rows of segments that have expired go at each of these steps: when they come, and when they are written on.
//
// Memory: half of the limit for the table, an eighth for the buffers of runs, a quarter for the SST file that is
// being written. Runs of 16 generations fit any disk, so that few are open at a time.
class BulkWriter final : public RestoreWriter {
 public:
  // REQUIRES: the store is empty.
  static Result<std::unique_ptr<RestoreWriter>> Create(TaskDatabase& database, size_t store,
                                                       size_t memory_bytes);

  // `observed`: of a segmented store.
  BulkWriter(TaskDatabase& database, size_t store, const Observed& observed, size_t memory_bytes);
  // Removes the files of what was not finished.
  ~BulkWriter() override;

  Status Write(const std::vector<ChangelogRecord>& records, int64_t next_offset) override;
  Status Finish(int64_t next_offset) override;
  bool busy() const override { return merge_ != nullptr; }
  Status Work() override;

 private:
  // So many runs of one generation become one of the next.
  static constexpr size_t kFanIn = 16;
  // What one slice of a merge takes: some 20 ms.
  static constexpr int kRowsPerSlice = 32 * 1024;

  struct Run {
    std::unique_ptr<RunFile> file;
    int generation;
  };

  // `hash`: of the record's key.
  Status Take(const ChangelogRecord& record, uint64_t hash);
  // The table becomes a run.
  Status Spill();
  Result<std::unique_ptr<RunFile>> NewRunFile();
  // Begins to merge runs_ from `first` on, and the table unless it is null.
  void StartMerge(size_t first, std::unique_ptr<SortedRows> table);
  Status EndMerge();

  TaskDatabase& database_;
  const size_t store_;
  const size_t memory_bytes_;
  const std::string folder_;
  ChangelogRows rows_;
  RowTable table_;
  std::vector<uint64_t> hashes_;  // of the records being written
  std::vector<Run> runs_;         // oldest first; their generations never ascend
  int files_ = 0;                 // run files so far

  // A running merge: of runs_ from merged_from_ on.
  std::unique_ptr<RunMerge> merge_;
  size_t merged_from_ = 0;
  std::unique_ptr<RunFile> longer_run_;  // where it goes, unless it is the last merge
  std::unique_ptr<SstFiles> files_out_;  // where the last merge goes
  int64_t next_offset_ = -1;
};

}  // namespace weir
