#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "state/memory_table.h"
#include "state/overlay.h"
#include "state/row_columns.h"

namespace weir {

class TaskDatabase;

// A range of rows in byte order, ascending or descending: RocksDB (or the table of an in-memory store) as it stood when the scan began, and over
// it the overlay as it stands at each Next. So a scan sees changes to keys that it has not reached yet, until it is at its end.
//
// Ownership: the scan keeps its database's object alive while open; the database closes it before the rows
// under it change (drain, commit, discard, close). Threading: the database's JS thread.
class MergedScan {
 public:
  // from <= key < to; nullopt is unbounded.
  MergedScan(std::shared_ptr<TaskDatabase> database, const Overlay* overlay, std::optional<std::string> from,
             std::optional<std::string> to, bool reverse);
  ~MergedScan() { Close(); }
  MergedScan(const MergedScan&) = delete;
  MergedScan& operator=(const MergedScan&) = delete;

  // Copies the next rows into `out`. Returns how many; 0 at the end; -n when the next row takes n bytes and
  // `out` has fewer.
  Result<int64_t> Next(char* out, size_t out_size, RowColumns columns, size_t capacity);
  // True when the last Next copied the last row that there was.
  bool at_end() const { return at_end_; }
  void Close();

 private:
  friend class TaskDatabase;

  // One of the two is called once, before anything else.
  void Open(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family);
  void Open(const MemoryTable& table);
  void SeekToStart();

  // Puts the overlay's position after last_key_.
  void SeekOverlay();
  // The overlay's next row within the bounds, null when there is none.
  const OverlayTree::Entry* OverlayHead() const;
  void AdvanceOverlay();
  void AdvanceRocksdb();
  // Below 0 when the overlay's head comes first, 0 when both stand on one key. null: no head.
  int Order(const OverlayTree::Entry* changed, bool in_rocksdb) const;

  std::shared_ptr<TaskDatabase> database_;  // null once closed
  const Overlay* overlay_;
  const std::optional<std::string> from_;
  const std::optional<std::string> to_;
  const bool reverse_;
  // RocksDB's view of the bounds: its iterator keeps pointers to them.
  rocksdb::Slice lower_;
  rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> rocksdb_;
  // Ascending: the next row. Descending: the one after it, since there is no position before the begin.
  OverlayTree::Iterator overlay_position_;
  // Where that ends. Both are good until the overlay changes: Next seeks them first.
  OverlayTree::Iterator overlay_stop_;
  // The last key that was returned; nullopt at the beginning.
  std::optional<std::string> last_key_;
  bool at_end_ = false;
};

}  // namespace weir
