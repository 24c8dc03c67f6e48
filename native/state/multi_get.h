#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "common/thread_pool.h"
#include "state/byte_block.h"
#include "state/memory_table.h"
#include "state/overlay.h"
#include "state/rocksdb_instance.h"
#include "state/row_columns.h"

namespace weir {

// One look-up of many keys. Prepare answers from the overlay what the overlay knows; Run reads the rest from
// RocksDB, each key once, in key order, which is how MultiGet is fast. Very many are split over the read
// pool.
//
// Threading: Prepare on the JS thread; Run afterwards on any native thread but the pool's. Arena and columns
// stay valid and untouched until Run has returned.
class MultiGet {
 public:
  MultiGet(std::shared_ptr<RocksdbInstance> rocksdb, size_t family, ThreadPool* pool)
      : rocksdb_(std::move(rocksdb)), family_(family), pool_(pool) {}

  // `table`: the rows of an in-memory store, which are all that there is; null for a persistent one.
  Status Prepare(const Overlay& overlay, const MemoryTable* table, std::string_view arena, RowColumns columns,
                 size_t count);
  // False when memory knew all.
  bool needs_run() const { return !misses_.empty(); }
  Status Run();
  // The rows. Value columns are positions in them.
  ByteBlock& rows() { return rows_; }

 private:
  // Keys for a thread of its own; below that, handing over costs more than it gains.
  static constexpr size_t kPartMin = 1024;
  // Keys of one call to RocksDB: so many blocks are pinned at a time.
  static constexpr size_t kCallMax = 256;

  struct Miss {
    OverlayKey key;
    int32_t index;
  };
  struct Part {
    size_t begin;  // in unique_
    size_t end;
    ByteBlock rows;
    Status status;
  };

  void ReadPart(Part& part);
  void RunParts(std::vector<Part>& parts);

  const std::shared_ptr<RocksdbInstance> rocksdb_;
  const size_t family_;
  ThreadPool* const pool_;
  RowColumns columns_{nullptr, 0};
  std::vector<Miss> misses_;
  // The first of each run of equal keys in the sorted misses_, and one past the end.
  std::vector<uint32_t> unique_;
  ByteBlock rows_;
};

}  // namespace weir
