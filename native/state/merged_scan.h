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
// A scan that has ended can begin anew at another range, with the same RocksDB iterator: making one costs as much as a short scan. Until then it
// keeps what the iterator has pinned; the database's next drain, at the latest, lets it go. A reader's scan makes another: nothing
// tells it that rows have changed.
//
// Ownership: the scan keeps its database's object alive until it is closed; the database closes it before the rows
// under it change (drain, commit, discard, close). Threading: the database's JS thread.
class MergedScan {
 public:
  // Of a RocksDB family or, where `table` is not null, of an in-memory store. Begin comes next.
  MergedScan(std::shared_ptr<TaskDatabase> database, const Overlay* overlay, rocksdb::DB* db,
             rocksdb::ColumnFamilyHandle* family, const MemoryTable* table);
  ~MergedScan() { Close(); }
  MergedScan(const MergedScan&) = delete;
  MergedScan& operator=(const MergedScan&) = delete;

  // from <= key < to; nullopt is unbounded. Wherever the scan stood, it stands before the range's first row now. False when it has been closed.
  bool Begin(std::optional<std::string_view> from, std::optional<std::string_view> to, bool reverse);
  // Copies the next rows into `out`. Returns how many; 0 at the end; -n when the next row takes n bytes and
  // `out` has fewer.
  Result<int64_t> Next(char* out, size_t out_size, RowColumns columns, size_t capacity);
  // True when the last Next copied the last row that there was.
  bool at_end() const { return at_end_; }
  // Ends the scan: Next fails until Begin.
  void End();
  // For good.
  void Close();

 private:
  friend class TaskDatabase;

  // A bytes' copy whose slice stays where it is.
  struct Bound {
    bool is_set = false;
    std::string bytes;
    rocksdb::Slice slice;

    void Set(std::optional<std::string_view> bound);
  };

  void OpenIterator();
  // Puts the overlay's position after last_key_.
  void SeekOverlay();
  // The overlay's next row within the bounds, null when there is none.
  const OverlayTree::Entry* OverlayHead() const;
  void AdvanceOverlay();
  void AdvanceRocksdb();
  // Below 0 when the overlay's head comes first, 0 when both stand on one key. null: no head.
  int Order(const OverlayTree::Entry* changed, bool in_rocksdb) const;

  std::shared_ptr<TaskDatabase> database_;  // null once closed
  const Overlay* const overlay_;
  rocksdb::DB* const db_;
  rocksdb::ColumnFamilyHandle* const family_;
  const MemoryTable* const table_;
  bool running_ = false;
  Bound from_;
  Bound to_;
  bool reverse_ = false;
  std::unique_ptr<rocksdb::Iterator> rocksdb_;
  // The bounds that `rocksdb_` was made with are from_'s and to_'s slices, where these say so: it looks there at each seek.
  bool iterator_has_from_ = false;
  bool iterator_has_to_ = false;
  // Ascending: the next row. Descending: the one after it, since there is no position before the begin.
  OverlayTree::Iterator overlay_position_;
  // Where that ends. Both are good until the overlay changes: Next seeks them first.
  OverlayTree::Iterator overlay_stop_;
  // The last key that was returned, unless none was.
  std::string last_key_;
  bool has_last_key_ = false;
  bool at_end_ = false;
};

}  // namespace weir
