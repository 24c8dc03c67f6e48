#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/statistics.h>
#include <rocksdb/write_buffer_manager.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/status.h"
#include "common/thread_pool.h"
#include "state/flush_arbiter.h"

namespace weir {

struct StateMemoryOptions {
  // LRUCache capacity: index, filter and data blocks, and the memtables' charge.
  size_t block_cache_bytes;
  // Budget of all memtables.
  size_t write_buffer_bytes;
  // RocksDB's background threads; flushes get a quarter of them, at least one.
  int background_threads;
  // Threads of the pool that splits large multiGets.
  int read_threads;
  // For each database.
  int max_open_files;
  // What flushes and compactions of all databases may write a second; 0: no limit.
  int64_t rate_limit_bytes_per_second = 0;
  // What all databases together may keep in memory of rows that were committed, so that RocksDB gets a row that changes
  // often once for several commits. 0: none.
  int64_t kept_bytes_max = 0;

  bool operator==(const StateMemoryOptions& other) const;
};

struct StateMemoryUsage {
  size_t block_cache_bytes;
  size_t block_cache_pinned_bytes;
  size_t memtable_bytes;
  size_t memtable_peak_bytes;
  size_t overlay_bytes;
  size_t in_memory_bytes;
  int64_t arbiter_flushes;
  int databases;
  int scans;
};

// What RocksDB's background threads have done for all databases. RocksDB's own counts of their bytes are not built in
// (scripts/setup/libraries.sh). Threading: any.
struct RocksdbJobs {
  std::atomic<int64_t> flushes{0};
  std::atomic<int64_t> flush_micros{0};
  std::atomic<int64_t> flush_bytes_written{0};
  std::atomic<int64_t> compactions{0};
  std::atomic<int64_t> compaction_micros{0};
  std::atomic<int64_t> compaction_bytes_read{0};
  std::atomic<int64_t> compaction_bytes_written{0};
  std::atomic<int64_t> background_errors{0};
};

// One of RocksDB's counts since the process's first database, over all databases.
struct RocksdbCount {
  const char* name;
  int64_t total;
};

// What all databases of the process share, so that one number bounds their memory: block cache, write-buffer
// manager and in-memory stores (both charged to the cache), RocksDB's background threads, a pool for large
// reads, the flush arbiter.
//
// Ownership: a counted singleton. Acquire hands out the one that lives, or makes one; it ends with its last
// holder. Every database holds it. Threading: Acquire and all methods from any thread. The last holder must
// not be a thread of the pool, of the arbiter or of RocksDB.
class StateMemory {
 public:
  // Fails with `invalid` when one lives that has other settings.
  static Result<std::shared_ptr<StateMemory>> Acquire(const StateMemoryOptions& options);

  explicit StateMemory(const StateMemoryOptions& options);
  StateMemory(const StateMemory&) = delete;
  StateMemory& operator=(const StateMemory&) = delete;

  StateMemoryUsage Usage();
  // Always the same names in the same order.
  std::vector<RocksdbCount> Counts() const;
  const StateMemoryOptions& options() const { return options_; }

  const std::shared_ptr<rocksdb::Cache>& cache() const { return cache_; }
  const std::shared_ptr<rocksdb::WriteBufferManager>& write_buffer_manager() const {
    return write_buffer_manager_;
  }
  // Null without a limit.
  const std::shared_ptr<rocksdb::RateLimiter>& rate_limiter() const { return rate_limiter_; }
  const std::shared_ptr<rocksdb::Statistics>& statistics() const { return statistics_; }
  RocksdbJobs& jobs() { return jobs_; }
  FlushArbiter& arbiter() { return arbiter_; }
  ThreadPool& read_pool() { return read_pool_; }
  // What one of the databases that are open now may keep of kept_bytes_max.
  int64_t KeptBytesShare();
  // Databases tell by how much their overlays grew or shrank.
  void AddOverlayBytes(int64_t delta) { overlay_bytes_.fetch_add(delta, std::memory_order_relaxed); }
  // Databases tell how many scans were opened, or closed (less than 0).
  void AddScans(int delta) { scans_.fetch_add(delta, std::memory_order_relaxed); }
  // Databases tell by how much their in-memory stores grew or shrank. The block cache holds that much less.
  void AddInMemoryBytes(int64_t delta);

 private:
  const StateMemoryOptions options_;
  const std::shared_ptr<rocksdb::Cache> cache_;
  const std::shared_ptr<rocksdb::WriteBufferManager> write_buffer_manager_;
  // RocksDB's one public way to charge a cache with memory that is not its own; nothing else of it is used.
  const std::shared_ptr<rocksdb::WriteBufferManager> in_memory_charge_;
  const std::shared_ptr<rocksdb::RateLimiter> rate_limiter_;
  // One for all: each has counters for every core.
  const std::shared_ptr<rocksdb::Statistics> statistics_;
  RocksdbJobs jobs_;
  std::atomic<int64_t> in_memory_bytes_{0};
  std::atomic<int64_t> overlay_bytes_{0};
  std::atomic<int> scans_{0};
  ThreadPool read_pool_;
  FlushArbiter arbiter_;
};

}  // namespace weir
