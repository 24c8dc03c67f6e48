#pragma once

#include <rocksdb/options.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "state/state_memory.h"

namespace weir {

// Settings by RocksDB's names, in its syntax. Those of a family's block-based tables stand beside the family's own:
// `block_size`, not `block_based_table_factory={block_size=...}`.
using RocksdbSettings = std::map<std::string, std::string>;

enum class SettingScope { kDatabase, kFamily, kTable };

struct RocksdbSetting {
  std::string name;
  SettingScope scope;
  // RocksDB's own default, as it writes it down.
  std::string rocksdb_default;
};

// Every setting that can be written as text. Any thread.
const std::vector<RocksdbSetting>& KnownRocksdbSettings();
// Null when RocksDB has no such setting.
const RocksdbSetting* FindRocksdbSetting(const std::string& name);

// Whether RocksDB has the setting and can read the value; what settings do to each other is found when a database
// opens. Fails with `invalid`.
Status CheckRocksdbSetting(const std::string& name, const std::string& value);

// The settings of a task's database (docs/state-format.md has the table), with those of `settings` that are a
// database's on top. No write-ahead log: the changelog is the log. Fails with `invalid`.
Result<rocksdb::DBOptions> DatabaseOptionsFor(StateMemory& memory, const RocksdbSettings& settings);

// The settings of a family, with those of `settings` that are a family's on top, and those of `of_family` on top of
// them. Fails with `invalid`, also for one of `of_family` that is of the whole database.
Result<rocksdb::ColumnFamilyOptions> FamilyOptionsFor(StateMemory& memory, const RocksdbSettings& settings,
                                                      const RocksdbSettings& of_family);

}  // namespace weir
