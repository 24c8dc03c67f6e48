#pragma once

#include <rocksdb/slice.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/status.h"
#include "state/changelog_rows.h"
#include "state/changelog_sink.h"
#include "state/memory_table.h"
#include "state/merged_scan.h"
#include "state/multi_get.h"
#include "state/offsets.h"
#include "state/overlay.h"
#include "state/put_log.h"
#include "state/rocksdb_instance.h"
#include "state/row_columns.h"
#include "state/segments.h"
#include "state/sst_files.h"
#include "state/state_memory.h"
#include "state/version_history.h"

namespace weir {

struct StoreSettings {
  std::string name;
  // Rows are timestamp(8, big-endian) + value; the changelog carries the value alone.
  bool timestamped;
  // nullopt: not logged.
  std::optional<std::string> changelog_topic;
  // Rows are kept in memory alone, and are gone when the database closes: restored from the beginning.
  bool in_memory = false;
  // Of a window, session or versioned store: its keys begin with their segment, which the changelog's have not. Rows
  // of segments that are no longer live are dropped by Drain, on disk and unwritten alike.
  std::optional<SegmentSettings> segments = std::nullopt;
  // Of the store's family, over those of TaskDatabaseOptions.
  RocksdbSettings rocksdb = {};
  // Of every changelog record that has a value, as DecodeHeaders takes them. Empty: none.
  std::string changelog_headers = {};
};

struct TaskDatabaseOptions {
  std::string path;
  // The changelogs' partition.
  int32_t partition;
  std::vector<StoreSettings> stores;
  // Changelog records after which the database is flushed even when memory does not ask for it.
  int64_t flush_every_records;
  int64_t flush_interval_ms;
  // Of the database and of all stores.
  RocksdbSettings rocksdb;
};

struct PutOutcome {
  // VersionHistory::Put's.
  int64_t valid_to_ms;
  // Overlays and logs of puts of all stores.
  int64_t uncommitted_bytes;
};

struct DrainTotals {
  int64_t records = 0;
  int64_t bytes = 0;
};

// One task's state: a RocksDB (a family per store and one for offsets; no write-ahead log), a table for each
// store that is kept in memory only (its family stays empty, so that a store's number is its family's), and over
// each store an overlay of what changed since the last commit. A versioned store has a log of its puts besides: its
// changelog gets each of them, the others' the last row of each key.
//
// Kept rows: where commits follow closely on one another, most change the same rows as the one before. So a commit may leave
// the rows of key-value stores that have a changelog in their overlays, with RocksDB as it was: until the next one that comes
// kKeptMs after the last write, or finds more rows kept than there is memory for, or closing. An uncommitted change takes a kept row's
// place, so a store that has such changes when it is discarded or closed loses what it kept, as all do in a crash: the changelog has it,
// from the offset on that RocksDB has.
//
//          Apply             Drain (native)            Commit (native)         any JS call
//   idle ---------> idle --------------> drained ----------------> written -------------> idle, empty
//                     ^                     |
//                     +----- Discard -------+
//
// Invariants:
//   1. Rows and the offset of the changelog that they reflect are written by the same atomic write, and
//      flushed by the same atomic flush: what is on disk after a crash is some past state together with its
//      offset.
//   2. Overlays are read only by the JS thread, but for Drain, during which the JS thread calls nothing, and Close.
//      They are emptied on the JS thread alone (FinishCommit), so get and multiGet go on while a commit
//      writes.
//   3. An in-memory store's committed rows change on the JS thread alone (FinishCommit takes the overlay over),
//      but for a restore. Its offset is never written: a database that opens has none of its rows.
//   4. A scan never outlives the overlay and the RocksDB state that it merges: drain, commit, discard and
//      close end it.
//   5. A reader (Attach) is another thread's view of the same RocksDB: its overlays stay empty, so it sees what was
//      committed, and RocksDB closes with the last of them all. A database that is shared keeps no rows.
//   6. RocksDB gets an overlay's rows when none of them is uncommitted, or with those that are in the commit's batch.
//
// Its methods are in five files: what a task calls while it processes, of versioned stores
// (task_database_versions.cc), commits (task_database_commit.cc), restores (task_database_restore.cc) and readers
// (task_database_readers.cc).
//
// Threading: one JS thread, where nothing else is said. "Native" methods run on native threads, one at a time
// unless said.
class TaskDatabase : public std::enable_shared_from_this<TaskDatabase> {
 public:
  // Native.
  static Result<std::shared_ptr<TaskDatabase>> Open(std::shared_ptr<StateMemory> memory,
                                                    TaskDatabaseOptions options);

  TaskDatabase(std::shared_ptr<StateMemory> memory, TaskDatabaseOptions options,
               std::shared_ptr<RocksdbInstance> rocksdb);
  // Closes. Any thread.
  ~TaskDatabase();
  TaskDatabase(const TaskDatabase&) = delete;
  TaskDatabase& operator=(const TaskDatabase&) = delete;

  const TaskDatabaseOptions& options() const { return options_; }

  // The number by which other threads of the process attach readers, for as long as the database is open.
  int64_t Share();
  // A reader of the database of that number. It changes nothing: `invalid` is what Apply and Drain return. Fails with
  // `closed` when there is none, and with `invalid` when stores are in memory or cut into segments: their rows, or
  // what is known of them, are not in RocksDB alone. Any thread.
  static Result<std::shared_ptr<TaskDatabase>> Attach(int64_t id);

  // The row's length, -1 when absent. Copies it to `out` when it fits.
  Result<int64_t> Get(size_t store, std::string_view key, char* out, size_t out_size);
  // Answers from the overlay; the caller then runs it on a native thread.
  Result<std::shared_ptr<MultiGet>> NewMultiGet(size_t store, std::string_view arena, RowColumns columns,
                                                size_t count);
  // Returns the uncommitted bytes of all stores. A wrong row fails the call with those before it applied.
  Result<int64_t> Apply(size_t store, std::string_view arena, RowColumns columns, const double* timestamps,
                        size_t count);
  // Of a versioned store, which takes nothing by Apply. What was found is valid until the store's next change or
  // look-up. REQUIRES: time >= 0.
  Result<PutOutcome> PutVersion(size_t store, std::string_view key, const Version& version);
  Result<std::optional<FoundVersion>> GetVersion(size_t store, std::string_view key,
                                                 std::optional<int64_t> time_ms);
  Result<std::shared_ptr<MergedScan>> NewScan(size_t store, std::optional<std::string_view> from,
                                              std::optional<std::string_view> to, bool reverse);

  // To be called on the JS thread before Drain or Commit is handed to a native thread: ends the scans.
  Status BeginDrain();
  Status BeginCommit();
  // Native. Keeps the sink until the commit.
  Result<DrainTotals> Drain(std::shared_ptr<ChangelogSink> sink);
  // Native. Writes nothing, and is to be followed by Discard, when it fails with `changelog-shared`: see TakeOver.
  Status Commit();
  // Empties the overlays once a commit has been written, but for the rows that it keeps. Every method of the JS thread does so first.
  void FinishCommit();
  // Forgets what is not committed, and the kept rows of the stores where that was: if there were any, Offsets says less than what was
  // committed, and the database is to be restored before it is used again.
  Status Discard();

  // Removes all rows of a store at once, kept ones too; its offset stays. After a crash the store may be empty while its offset is that of an earlier flush:
  // that is for stores whose rows are somewhere else, too. To be called on the JS thread before Empty is handed to a native thread: ends the
  // scans. REQUIRES: the store has no uncommitted changes; it is not in memory; nobody reads the database by a number.
  Status BeginEmpty(size_t store);
  // Native. The JS thread calls nothing until it is done.
  Status Empty(size_t store);

  // Native, any number at a time.
  Status Flush();
  // Any thread.
  const std::string& path() const { return options_.path; }
  // Of what RocksDB has.
  std::vector<StoreOffset> Offsets() const;
  // Any thread. Of a segmented store, as last written.
  Result<Observed> ObservedBy(size_t store) const;
  Status SetTopicId(const std::string& store, std::string topic_id);
  // Of a store whose changelog is a topic that the task reads: where the task has read to. Written with the next
  // commit. REQUIRES: the store has no changelog_topic.
  void SetSourceOffset(size_t store, int64_t offset);
  // Up to where the changelog of each store says what was committed, and nothing else: where it ended when this database last wrote to it, or
  // took it over, unless it has rows to say again; -1: it did not take it over. Any thread.
  std::vector<int64_t> ChangelogEnds() const;
  // Up to where the rows of each store, kept ones too, are what its changelog says; -1: it has none yet. Any thread.
  std::vector<int64_t> CommittedOffsets() const;
  // RocksDB's estimate of the store's rows (an in-memory store's number of them), and what is uncommitted.
  Result<uint64_t> ApproximateEntries(size_t store);
  // One of RocksDB's integer properties, of a store's family; `rocksdb.estimate-num-keys` knows of kept rows, and of an in-memory store is
  // its number of rows; and `weir.overlay-bytes`, of what is kept and uncommitted. Not while a restore writes into an in-memory store: its rows are the restore's.
  Result<uint64_t> StoreProperty(size_t store, const std::string& name);
  // Any thread. RocksDB's integer properties, and `weir.overlay-entries`.
  Result<uint64_t> Property(const std::string& name);

  // Restoring; native, several stores at a time, while no JS call but Offsets, SetTopicId and Property is made.

  // True for a store that takes records by WriteRestored alone.
  bool IsInMemory(size_t store) const { return options_.stores[store].in_memory; }
  // Of an open database.
  Result<bool> StoreIsEmpty(size_t store);
  // Removes a store's offset, then its rows: a crash in between leaves a store that is restored from the
  // beginning.
  Status ClearStore(size_t store);
  // From here to EndRestore a store's offset keeps the time that it has: rows that were read then may have been
  // deleted by records that are still to come, and the changelog keeps those for so long only.
  void BeginRestore(size_t store);
  // What is written next has all that the changelog has.
  void EndRestore(size_t store);
  // Writes records (each key once, ascending) with the store's next changelog offset, atomically. A versioned store
  // takes none.
  Status WriteRestored(size_t store, const std::vector<ChangelogRecord>& records, int64_t next_offset);
  // Puts records into a versioned store, each in its turn, with the store's next changelog offset: atomically, or in
  // several such steps when their rows take more than `memory_bytes`.
  Status WriteRestoredVersions(size_t store, const std::vector<ChangelogRecord>& records, int64_t next_offset,
                               size_t memory_bytes);
  // The store's rows are restored, its changelog ends at `end`, and from there on nobody but this database is to write to it: Commit fails with
  // `changelog-shared` when somebody else has. `unused`: keys, each once, of records that were not applied. They count as changed: the
  // next commit writes their rows, or that there are none, to the changelog again. REQUIRES: the store is not versioned; no commit waits for
  // FinishCommit.
  Status TakeOver(size_t store, int64_t end, const std::vector<ChangelogRecord>& unused);
  // True for a store that takes records by WriteRestoredVersions alone.
  bool IsVersioned(size_t store) const;
  // A folder of the store's own for files on their way into it. What a crash leaves there goes at the next open.
  std::string RestoreFolder(size_t store) const;
  // A store's rows on their way into files. `rows_max`: of one file.
  std::unique_ptr<SstFiles> NewRestoredFiles(size_t store, size_t rows_max);
  // Makes a store's rows of its changelog's records.
  ChangelogRows NewChangelogRows(size_t store, const Observed& observed) const;
  // Takes in a store's rows with its next changelog offset and, of a segmented store, what was observed, atomically,
  // and on the disk when it returns: a crash leaves all or nothing. REQUIRES: the store is empty; `rows` are finished.
  Status IngestRestored(size_t store, const SstFiles& rows, const Observed& observed, int64_t next_offset);

  // To be called on the JS thread before Close is handed to a native thread: calls fail from now on, scans
  // end.
  void BeginClose();
  // Native. Writes kept rows and flushes, so that the next open has nothing to restore. Idempotent.
  Status Close();
  // Native. Closes without flushing, which leaves the files as a crash would. For tests.
  Status CloseAsAfterCrash();

 private:
  friend class MergedScan;

  enum class Phase { kIdle, kDraining, kDrained, kCommitting, kWritten };

  Status CheckOpen() const;
  Status CheckStore(size_t store) const;
  Status CheckIdle(const char* what) const;
  // Empties the overlays, but for kept rows.
  void ClearOverlays();
  // No row is kept any longer in a store that has uncommitted changes.
  void ForgetOverwritten();
  // Whether the commit that begins leaves rows out of RocksDB.
  bool MayKeep() const;
  // A store whose rows can be left out. One that has kept some has an offset in kept_offsets_.
  bool KeepsRows(size_t store) const;
  Status WriteKept();
  // Null for a persistent store.
  MemoryTable* table(size_t store) { return tables_[store].get(); }
  // Counts what a table's change has taken or given back.
  void CountTable(size_t bytes_before, const MemoryTable& table);
  void CloseScans();
  // This object's hold on RocksDB ends. Idempotent.
  Status Release(bool flush);
  void EndSharing();
  Status ReadOffsets();
  // Clears a store whose rows are cut into other segments: its retention was changed. It is restored from the
  // beginning.
  Status ReadObserved(size_t store);
  // Deletes the segments that die when a segmented store's stream time advances. Returns the first key that lives;
  // empty when there is nothing to delete.
  Result<std::string> ExpireSegments(rocksdb::WriteBatch* batch, size_t store, const Observed& before,
                                     const Observed& after) const;
  Status PutObserved(rocksdb::WriteBatch* batch, size_t store, const Observed& observed) const;
  Observed LastObserved(size_t store) const;
  Status CheckVersioned(size_t store) const;
  // The rows of a versioned store that a restore has changed.
  Status WriteRestoredRows(size_t store, const Overlay& rows, const Observed& observed, int64_t next_offset);
  Status DrainStore(size_t store, ChangelogSink& sink, DrainTotals* totals);
  Status BatchRow(size_t store, const Overlay::Entry& entry);
  // Hands a row to the changelog, or any change.
  Status LogRow(size_t store, ChangelogSink& sink, int topic, const Overlay::Entry& entry,
                DrainTotals* totals);
  Status LogChange(size_t store, ChangelogSink& sink, int topic, const PutLog::Put& change,
                   DrainTotals* totals);
  // With the store's number.
  Result<std::vector<std::pair<size_t, StoreOffset>>> OffsetsToCommit() const;
  // Whether the records of this drain follow one on another in their changelog, and on what it had before. REQUIRES: offsets_mutex_ is held.
  Status CheckOnlyWriter(size_t store, int64_t end) const;
  // A row as it is in the table or in RocksDB; nullopt for none.
  Result<std::optional<std::string>> CommittedRow(size_t store, std::string_view key);
  // Asks for a flush when enough changelog records came since the last.
  void AfterWrite(int64_t records);
  void RestoreTable(MemoryTable& table, ChangelogRows& rows, const std::vector<ChangelogRecord>& records);
  Status PutOffset(rocksdb::WriteBatch* batch, const StoreOffset& offset) const;
  StoreOffset RestoredOffset(size_t store, int64_t next_offset) const;
  void SetOffset(size_t store, StoreOffset offset);
  // To be called when a restore has written.
  void SetRestored(size_t store, StoreOffset offset, const Observed& observed);
  size_t offsets_family() const { return options_.stores.size(); }

  const std::shared_ptr<StateMemory> memory_;
  const TaskDatabaseOptions options_;
  const std::shared_ptr<RocksdbInstance> rocksdb_;

  // JS thread (and Drain).
  std::vector<std::unique_ptr<Overlay>> overlays_;
  // Of segmented stores: what the overlays' rows have shown besides what was written.
  std::vector<Observed> overlay_observed_;
  int64_t overlay_bytes_ = 0;      // all that the overlays and the logs of puts take
  int64_t uncommitted_bytes_ = 0;  // what the next commit has to write of it
  std::vector<std::unique_ptr<MemoryTable>> tables_;
  std::vector<std::unique_ptr<PutLog>> put_logs_;           // null: not versioned, or not logged
  std::vector<std::unique_ptr<VersionHistory>> histories_;  // null: not versioned
  std::unordered_set<MergedScan*> scans_;
  bool closing_ = false;
  int64_t shared_id_ = -1;  // -1: not shared
  bool is_reader_ = false;
  std::atomic<bool> released_{false};

  // Set by the JS thread to begin, and by the native thread at the end of, drain and commit.
  std::atomic<Phase> phase_{Phase::kIdle};

  // From Drain to Commit; whoever runs these.
  rocksdb::WriteBatch batch_;
  std::shared_ptr<ChangelogSink> sink_;
  std::vector<int64_t> drained_records_;     // for each store
  std::vector<std::string> expired_before_;  // for each store: what ExpireSegments returned
  bool is_keeping_ = false;                  // this commit leaves the rows of KeepsRows where they are
  int64_t kept_records_ = 0;                 // changelog records since RocksDB was written
  std::chrono::steady_clock::time_point written_at_ = std::chrono::steady_clock::now();

  std::atomic<int64_t> records_since_flush_{0};

  mutable std::mutex offsets_mutex_;
  std::vector<StoreOffset> offsets_;  // guarded by offsets_mutex_: as last written, for each store
  std::vector<std::optional<StoreOffset>>
      kept_offsets_;                     // guarded by offsets_mutex_: of the rows that are kept
  std::vector<std::string> topic_ids_;   // guarded by offsets_mutex_: to be written with the next offset
  std::vector<int64_t> source_offsets_;  // guarded by offsets_mutex_: -1 for a store without one
  std::vector<int64_t>
      changelog_ends_;  // guarded by offsets_mutex_: where the next record goes, if nobody else writes; -1: not known
  std::vector<int64_t> committed_ends_;  // guarded by offsets_mutex_: as of ChangelogEnds
  std::vector<bool> restoring_;          // guarded by offsets_mutex_: between BeginRestore and EndRestore
  std::vector<Observed> observed_;       // guarded by offsets_mutex_: as last written, for each store
};

}  // namespace weir
