#include "state/rocksdb_options.h"

#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <unordered_map>

namespace weir {

namespace {

constexpr size_t kMiB = 1024 * 1024;

}  // namespace

rocksdb::DBOptions DatabaseOptionsFor(StateMemory& memory) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.write_buffer_manager = memory.write_buffer_manager();
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
  return options;
}

Result<rocksdb::ColumnFamilyOptions> FamilyOptionsFor(StateMemory& memory,
                                                      const std::map<std::string, std::string>& overrides) {
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
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  if (overrides.empty()) return options;
  rocksdb::ColumnFamilyOptions overridden;
  const rocksdb::Status status = rocksdb::GetColumnFamilyOptionsFromMap(
      rocksdb::ConfigOptions(), options,
      std::unordered_map<std::string, std::string>(overrides.begin(), overrides.end()), &overridden);
  if (!status.ok()) return Status::Invalid("RocksDB refuses an option: " + status.ToString());
  return overridden;
}

}  // namespace weir
