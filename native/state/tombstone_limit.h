#pragma once

#include <rocksdb/db.h>
#include <rocksdb/table_properties.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace weir {

// Has a family's level 0 compacted when it holds many deletions beside the rows below it. Scans step over each of
// them, and over the row that it hides, until a compaction has brought the two together.
//
// RocksDB asks when a flush has written a file; a file that it is told to compact takes the others of level 0 along.
// Rows below are counted, since a compaction writes them anew: so it writes two rows at most for each deletion that it
// brings down, however large the family. (RocksDB's own CompactOnDeletionCollector sees one file only.)
//
// Ownership: the family's options share it. Threading: all methods from any thread. `db` is used on RocksDB's threads
// while they build a file, without its mutex.
class TombstoneLimit final : public rocksdb::TablePropertiesCollectorFactory {
 public:
  // Fewer are not worth a compaction.
  static constexpr uint64_t kDeletionsMin = 1'000;
  // RocksDB does not count the rows of files that were there when the database was opened (reading the numbers would
  // delay it). They are taken for this small, so rather for too many, until a compaction has written them anew.
  static constexpr uint64_t kRowBytes = 32;

  explicit TombstoneLimit(std::string family) : family_(std::move(family)) {}

  // Null: no file is to be compacted for its deletions. REQUIRES: the database outlives its background jobs.
  void SetDatabase(rocksdb::DB* db) { db_.store(db, std::memory_order_release); }

  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context context) override;
  const char* Name() const override { return "weir.TombstoneLimit"; }

 private:
  class Collector;

  // Whether a new file of level 0 with so many deletions is one too many.
  bool IsReached(uint64_t deletions) const;

  const std::string family_;
  std::atomic<rocksdb::DB*> db_{nullptr};
};

}  // namespace weir
