#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "state/offsets.h"
#include "state/segments.h"

namespace weir {

// A segment of a store that is cut into segments.
struct SegmentInspection {
  // -1: the latest rows of a versioned store, which are behind all segments.
  int64_t segment;
  // Of its rows on disk: estimated by what the files' indexes say, compressed.
  uint64_t bytes;
  // Nullopt when rows are not counted.
  std::optional<uint64_t> keys;
};

struct StoreInspection {
  std::string name;
  // Estimated by RocksDB, or counted.
  uint64_t keys = 0;
  uint64_t bytes = 0;
  uint64_t files = 0;
  // On disk, segments included; nullopt for an empty store.
  std::optional<std::string> first_key;
  std::optional<std::string> last_key;
  // Nullopt when none was written.
  std::optional<StoreOffset> offset;
  // Of a store that is cut into segments.
  std::optional<Observed> observed;
  int64_t segment_interval_ms = 0;
  std::vector<SegmentInspection> segments;
};

// Reads a task's folder without opening it: what was last flushed, and nothing is written, created or locked. With
// `count`, every row is read, and so every block's checksum is checked. Fails with `rocksdb:Busy` when another process
// has the database open, and with `rocksdb:Corruption` for one that is damaged. Any native thread.
Result<std::vector<StoreInspection>> InspectDatabase(const std::string& path, bool count);

}  // namespace weir
