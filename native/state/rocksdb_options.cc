#include "state/rocksdb_options.h"

#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace weir {

namespace {

constexpr size_t kMiB = 1024 * 1024;

using Text = std::unordered_map<std::string, std::string>;

void AddSettings(SettingScope scope, const rocksdb::Status& written, const std::string& text,
                 std::vector<RocksdbSetting>* settings) {
  Text values;
  if (!written.ok() || !rocksdb::StringToMap(text, &values).ok()) return;
  const size_t before = settings->size();
  for (const auto& [name, value] : values) settings->push_back({name, scope, value});
  std::sort(settings->begin() + static_cast<std::ptrdiff_t>(before), settings->end(),
            [](const RocksdbSetting& a, const RocksdbSetting& b) { return a.name < b.name; });
}

std::vector<RocksdbSetting> ReadSettings() {
  std::vector<RocksdbSetting> settings;
  const rocksdb::ConfigOptions config;
  std::string text;
  rocksdb::Status written = rocksdb::GetStringFromDBOptions(config, rocksdb::DBOptions(), &text);
  AddSettings(SettingScope::kDatabase, written, text, &settings);
  written = rocksdb::GetStringFromColumnFamilyOptions(config, rocksdb::ColumnFamilyOptions(), &text);
  AddSettings(SettingScope::kFamily, written, text, &settings);
  const std::unique_ptr<rocksdb::TableFactory> table(rocksdb::NewBlockBasedTableFactory());
  written = table->GetOptionString(config, &text);
  AddSettings(SettingScope::kTable, written, text, &settings);
  // Those that RocksDB does not write down while they are empty.
  settings.push_back({"compression_per_level", SettingScope::kFamily, ""});
  settings.push_back({"daily_offpeak_time_utc", SettingScope::kDatabase, ""});
  return settings;
}

// RocksDB reads `12abc` as 12.
bool IsWholeNumber(const std::string& value, const std::string& like) {
  static const std::regex integer("-?[0-9]+");
  static const std::regex with_unit("-?[0-9]+([kKmMgGtT](i?B)?)?");
  static const std::regex fraction("-?[0-9]+\\.[0-9]+");
  if (std::regex_match(like, integer)) return std::regex_match(value, with_unit);
  if (std::regex_match(like, fraction))
    return std::regex_match(value, integer) || std::regex_match(value, fraction);
  return true;
}

Status Refused(const std::string& name, const std::string& value, const std::string& why) {
  return Status::Invalid("RocksDB refuses " + name + "=" + value + ": " + why);
}

// REQUIRES: a setting of the options' scope.
template <class Options>
Status Set(Options* options, const RocksdbSetting& setting, const std::string& value) {
  if (!IsWholeNumber(value, setting.rocksdb_default))
    return Refused(setting.name, value, "it is a number, such as " + setting.rocksdb_default);
  static const rocksdb::ConfigOptions config = [] {
    rocksdb::ConfigOptions strict;
    // Else a filter of an unknown kind is no filter at all.
    strict.ignore_unsupported_options = false;
    return strict;
  }();
  const Text change{{setting.name, value}};
  Options changed;
  rocksdb::Status status;
  if constexpr (std::is_same_v<Options, rocksdb::DBOptions>) {
    status = rocksdb::GetDBOptionsFromMap(config, *options, change, &changed);
  } else if constexpr (std::is_same_v<Options, rocksdb::ColumnFamilyOptions>) {
    status = rocksdb::GetColumnFamilyOptionsFromMap(config, *options, change, &changed);
  } else {
    status = rocksdb::GetBlockBasedTableOptionsFromMap(config, *options, change, &changed);
  }
  if (!status.ok()) return Refused(setting.name, value, status.ToString());
  *options = std::move(changed);
  return Status::Ok();
}

Status Unknown(const std::string& name) { return Status::Invalid("RocksDB has no setting " + name); }

// Sets what is a family's or its tables'.
Status Apply(const RocksdbSettings& settings, rocksdb::ColumnFamilyOptions* options,
             rocksdb::BlockBasedTableOptions* table) {
  Status status;
  for (const auto& [name, value] : settings) {
    const RocksdbSetting* const setting = FindRocksdbSetting(name);
    if (setting == nullptr) return Unknown(name);
    if (setting->scope == SettingScope::kFamily) status = Set(options, *setting, value);
    if (setting->scope == SettingScope::kTable) status = Set(table, *setting, value);
    if (!status.ok()) return status;
  }
  return status;
}

}  // namespace

const std::vector<RocksdbSetting>& KnownRocksdbSettings() {
  static const auto* const settings = new std::vector<RocksdbSetting>(ReadSettings());
  return *settings;
}

const RocksdbSetting* FindRocksdbSetting(const std::string& name) {
  const std::vector<RocksdbSetting>& settings = KnownRocksdbSettings();
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&name](const RocksdbSetting& setting) { return setting.name == name; });
  return found == settings.end() ? nullptr : &*found;
}

Status CheckRocksdbSetting(const std::string& name, const std::string& value) {
  const RocksdbSetting* const setting = FindRocksdbSetting(name);
  if (setting == nullptr) return Unknown(name);
  if (setting->scope == SettingScope::kDatabase) {
    rocksdb::DBOptions options;
    return Set(&options, *setting, value);
  }
  if (setting->scope == SettingScope::kFamily) {
    rocksdb::ColumnFamilyOptions options;
    return Set(&options, *setting, value);
  }
  rocksdb::BlockBasedTableOptions options;
  return Set(&options, *setting, value);
}

Result<rocksdb::DBOptions> DatabaseOptionsFor(StateMemory& memory, const RocksdbSettings& settings) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.write_buffer_manager = memory.write_buffer_manager();
  options.rate_limiter = memory.rate_limiter();
  options.statistics = memory.statistics();
  options.max_background_jobs = memory.options().background_threads;
  options.max_open_files = memory.options().max_open_files;
  // State and offsets live in different families and must reach the disk together.
  options.atomic_flush = true;
  // Closing flushes explicitly, and only when it is told to.
  options.avoid_flush_during_shutdown = true;
  // One thread writes to a database at a time.
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  // Opening reads no file statistics: a node opens a hundred databases at once.
  options.skip_stats_update_on_db_open = true;
  options.skip_checking_sst_file_sizes_on_db_open = true;
  // RocksDB starts as many threads for each family, however few files it has: 16 by default, 80 for a task.
  options.max_file_opening_threads = 1;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.keep_log_file_num = 2;
  options.max_log_file_size = kMiB;
  options.max_manifest_file_size = 16 * kMiB;
  for (const auto& [name, value] : settings) {
    const RocksdbSetting* const setting = FindRocksdbSetting(name);
    if (setting == nullptr) return Unknown(name);
    if (setting->scope != SettingScope::kDatabase) continue;
    Status status = Set(&options, *setting, value);
    if (!status.ok()) return status;
  }
  return options;
}

Result<rocksdb::ColumnFamilyOptions> FamilyOptionsFor(StateMemory& memory, const RocksdbSettings& settings,
                                                      const RocksdbSettings& of_family) {
  rocksdb::ColumnFamilyOptions options;
  // The arbiter decides when to flush; this only bounds a single memtable under a small budget.
  options.write_buffer_size =
      std::clamp<size_t>(memory.options().write_buffer_bytes / 4, 4 * kMiB, 64 * kMiB);
  options.max_write_buffer_number = 4;
  // At the default of an eighth of the memtable, hundreds of families charge many times what they hold.
  options.arena_block_size = 64 * 1024;
  options.level0_file_num_compaction_trigger = 10;
  options.target_file_size_base = 256 * kMiB;
  options.max_bytes_for_level_base = 1024 * kMiB;
  options.compression = rocksdb::kLZ4Compression;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.cache();
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));

  for (const auto& [name, value] : of_family) {
    const RocksdbSetting* const setting = FindRocksdbSetting(name);
    if (setting != nullptr && setting->scope == SettingScope::kDatabase)
      return Refused(name, value, "it is of the whole database, not of one store");
  }
  Status status = Apply(settings, &options, &table);
  if (status.ok()) status = Apply(of_family, &options, &table);
  if (!status.ok()) return status;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace weir
