#pragma once

#include <rocksdb/options.h>

#include <map>
#include <memory>
#include <string>

#include "common/status.h"
#include "state/state_memory.h"

namespace weir {

// RocksDB's settings for a task's database (docs/state-format.md has the table). No write-ahead log: the
// changelog is the log.
rocksdb::DBOptions DatabaseOptionsFor(StateMemory& memory);

// The settings of a family, with `overrides` (RocksDB's names and syntax) on top. Fails with `invalid` for
// one that RocksDB refuses.
Result<rocksdb::ColumnFamilyOptions> FamilyOptionsFor(StateMemory& memory,
                                                      const std::map<std::string, std::string>& overrides);

}  // namespace weir
