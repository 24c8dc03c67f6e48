#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace weir {

// How far a store's rows reflect its changelog. One row of the family `offsets`, written in the same atomic
// write as the rows.
//
//   key    the store's name
//   value  next offset (8)  wall clock, ms (8)  topic id (text, to the end)        integers big-endian
struct StoreOffset {
  std::string store;
  // The next changelog offset to restore, -1 when the store has none yet.
  int64_t offset = -1;
  // The wall clock when the rows were as the changelog had them, ms since 1970: at the write, or at the begin of
  // a restore that has not ended.
  int64_t written_at_ms = 0;
  // The changelog topic's id, a UUID as text; empty when unknown.
  std::string topic_id;
};

// A store's family is `store:` + its name, so that no name can meet this one or RocksDB's `default`.
inline constexpr char kStoreFamilyPrefix[] = "store:";
inline constexpr char kOffsetsFamily[] = "offsets";

std::string EncodeOffset(const StoreOffset& offset);
Result<StoreOffset> DecodeOffset(std::string store, std::string_view value);

// Where a task's folder keeps the files of running restores.
inline constexpr char kRestoreFolder[] = "/restore";

// The clock that offsets are stamped with, ms since 1970.
int64_t WallClockMs();

// Big-endian 64-bit integers, as in rows of timestamped stores.
void PutInt64(char* out, int64_t value);
int64_t GetInt64(const char* in);

}  // namespace weir
