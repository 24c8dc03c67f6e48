#include "state/state_memory.h"

#include <rocksdb/advanced_cache.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <mutex>
#include <string>

namespace weir {

namespace {

constexpr size_t kReadQueueMax = 4096;

std::mutex instance_mutex;
std::weak_ptr<StateMemory> instance;  // guarded by instance_mutex

std::shared_ptr<rocksdb::Cache> NewBlockCache(size_t bytes) {
  rocksdb::LRUCacheOptions options;
  options.capacity = bytes;
  // A full cache must not fail reads; index and filter blocks are the high-priority tenth.
  options.strict_capacity_limit = false;
  options.high_pri_pool_ratio = 0.1;
  return options.MakeSharedCache();
}

std::shared_ptr<rocksdb::Statistics> NewStatistics() {
  std::shared_ptr<rocksdb::Statistics> statistics = rocksdb::CreateDBStatistics();
  // Counting costs next to nothing; timing each read would not.
  statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
  return statistics;
}

struct NamedTicker {
  const char* name;
  rocksdb::Tickers ticker;
};

constexpr NamedTicker kTickers[] = {
    {"dataBlockHits", rocksdb::BLOCK_CACHE_DATA_HIT},
    {"dataBlockMisses", rocksdb::BLOCK_CACHE_DATA_MISS},
    {"indexBlockHits", rocksdb::BLOCK_CACHE_INDEX_HIT},
    {"indexBlockMisses", rocksdb::BLOCK_CACHE_INDEX_MISS},
    {"filterBlockHits", rocksdb::BLOCK_CACHE_FILTER_HIT},
    {"filterBlockMisses", rocksdb::BLOCK_CACHE_FILTER_MISS},
    {"memtableHits", rocksdb::MEMTABLE_HIT},
    {"memtableMisses", rocksdb::MEMTABLE_MISS},
    {"filterSparedReads", rocksdb::BLOOM_FILTER_USEFUL},
    {"getBytesRead", rocksdb::BYTES_READ},
    {"multiGetBytesRead", rocksdb::NUMBER_MULTIGET_BYTES_READ},
    {"scanBytesRead", rocksdb::ITER_BYTES_READ},
    {"scanSeeks", rocksdb::NUMBER_DB_SEEK},
    {"scanSkippedKeys", rocksdb::NUMBER_ITER_SKIP},
    {"bytesWritten", rocksdb::BYTES_WRITTEN},
    {"writeStallMicros", rocksdb::STALL_MICROS},
    {"fileOpens", rocksdb::NO_FILE_OPENS},
    {"fileErrors", rocksdb::NO_FILE_ERRORS},
};

}  // namespace

bool StateMemoryOptions::operator==(const StateMemoryOptions& other) const {
  return block_cache_bytes == other.block_cache_bytes && write_buffer_bytes == other.write_buffer_bytes &&
         background_threads == other.background_threads && read_threads == other.read_threads &&
         max_open_files == other.max_open_files &&
         rate_limit_bytes_per_second == other.rate_limit_bytes_per_second &&
         kept_bytes_max == other.kept_bytes_max;
}

Result<std::shared_ptr<StateMemory>> StateMemory::Acquire(const StateMemoryOptions& options) {
  std::lock_guard<std::mutex> lock(instance_mutex);
  std::shared_ptr<StateMemory> memory = instance.lock();
  if (memory == nullptr) {
    memory = std::make_shared<StateMemory>(options);
    instance = memory;
  } else if (!(memory->options_ == options)) {
    return Status::Invalid("StateMemory: the process has one already, with other settings");
  }
  return memory;
}

StateMemory::StateMemory(const StateMemoryOptions& options)
    : options_(options),
      cache_(NewBlockCache(options.block_cache_bytes)),
      write_buffer_manager_(std::make_shared<rocksdb::WriteBufferManager>(options.write_buffer_bytes, cache_,
                                                                          /*allow_stall=*/false)),
      in_memory_charge_(std::make_shared<rocksdb::WriteBufferManager>(options.block_cache_bytes, cache_,
                                                                      /*allow_stall=*/false)),
      rate_limiter_(options.rate_limit_bytes_per_second == 0
                        ? nullptr
                        : rocksdb::NewGenericRateLimiter(options.rate_limit_bytes_per_second)),
      statistics_(NewStatistics()),
      read_pool_("weir-read", options.read_threads, kReadQueueMax),
      arbiter_({options.write_buffer_bytes}, write_buffer_manager_) {
  rocksdb::Env* const env = rocksdb::Env::Default();
  const int flush_threads = std::max(1, options.background_threads / 4);
  env->SetBackgroundThreads(flush_threads, rocksdb::Env::Priority::HIGH);
  env->SetBackgroundThreads(std::max(1, options.background_threads - flush_threads),
                            rocksdb::Env::Priority::LOW);
}

void StateMemory::AddInMemoryBytes(int64_t delta) {
  in_memory_bytes_.fetch_add(delta, std::memory_order_relaxed);
  if (delta > 0) in_memory_charge_->ReserveMem(static_cast<size_t>(delta));
  if (delta < 0) in_memory_charge_->FreeMem(static_cast<size_t>(-delta));
}

std::vector<RocksdbCount> StateMemory::Counts() const {
  std::vector<RocksdbCount> counts;
  for (const NamedTicker& named : kTickers)
    counts.push_back({named.name, static_cast<int64_t>(statistics_->getTickerCount(named.ticker))});
  counts.push_back({"flushes", jobs_.flushes.load()});
  counts.push_back({"flushMicros", jobs_.flush_micros.load()});
  counts.push_back({"flushBytesWritten", jobs_.flush_bytes_written.load()});
  counts.push_back({"compactions", jobs_.compactions.load()});
  counts.push_back({"compactionMicros", jobs_.compaction_micros.load()});
  counts.push_back({"compactionBytesRead", jobs_.compaction_bytes_read.load()});
  counts.push_back({"compactionBytesWritten", jobs_.compaction_bytes_written.load()});
  counts.push_back({"backgroundErrors", jobs_.background_errors.load()});
  return counts;
}

int64_t StateMemory::KeptBytesShare() {
  return options_.kept_bytes_max == 0 ? 0 : options_.kept_bytes_max / std::max(1, arbiter_.databases());
}

StateMemoryUsage StateMemory::Usage() {
  return {cache_->GetUsage(),
          cache_->GetPinnedUsage(),
          write_buffer_manager_->memory_usage(),
          arbiter_.peak_bytes(),
          static_cast<size_t>(std::max<int64_t>(0, overlay_bytes_.load(std::memory_order_relaxed))),
          static_cast<size_t>(std::max<int64_t>(0, in_memory_bytes_.load(std::memory_order_relaxed))),
          arbiter_.flushes(),
          arbiter_.databases(),
          scans_.load(std::memory_order_relaxed)};
}

}  // namespace weir
