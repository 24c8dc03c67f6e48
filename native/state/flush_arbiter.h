#pragma once

#include <rocksdb/write_buffer_manager.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace weir {

// A database as the arbiter sees it.
//
// Threading: all methods may be called from the arbiter's thread at any time between Add and the object's
// end.
class FlushTarget {
 public:
  virtual ~FlushTarget() = default;

  // Bytes of the memtables that are being written to; 0 when nothing is unflushed.
  virtual size_t ActiveMemtableBytes() = 0;
  // What RecordWrite returned for the last write.
  virtual uint64_t LastWrite() const = 0;
  // When the database wants to be flushed whatever the memory; INT64_MAX when nothing is unflushed.
  virtual int64_t FlushDueMs() const = 0;
  // Begins to flush all families atomically; does not wait for the files.
  virtual void RequestFlush() = 0;
};

// Keeps the memtables of all databases below one budget. RocksDB's WriteBufferManager alone does not: it only
// ever flushes the database that writes, so idle ones keep their memory, and its stalling hangs. The arbiter
// flushes, on its own thread, as soon as half of the budget is being written to: the largest database, where
// one counts for more the more was written elsewhere since its last write, so that idle ones go too; and
// databases whose time has come.
//
// Writers announce what they will write (Admit) and wait there while it does not fit; that holds the budget.
// They never wait for memory that no flush can free.
//
// Threading: any thread may call anything but Stop. Admit and RecordWrite come from native threads, never
// from JS threads. Lock order: mutex_ is a leaf. RocksDB's flush threads take it (OnFlushCompleted), so it is
// never held while RocksDB is called.
class FlushArbiter {
 public:
  struct Options {
    size_t budget_bytes;
    // A writer waits this long at most when no flush completes: a full disk must not hang it.
    int64_t stall_max_ms = 5'000;
  };

  FlushArbiter(const Options& options, std::shared_ptr<rocksdb::WriteBufferManager> manager);
  ~FlushArbiter() { Stop(); }
  FlushArbiter(const FlushArbiter&) = delete;
  FlushArbiter& operator=(const FlushArbiter&) = delete;

  // Targets are forgotten when they end.
  void Add(std::weak_ptr<FlushTarget> target);
  int databases();

  // Waits until `bytes` more fit into the budget, or no flush would help. Each Admit is followed by one
  // RecordWrite of the same bytes.
  void Admit(size_t bytes);
  // Returns the bytes written to all databases so far: a clock that stands still when nobody writes.
  uint64_t RecordWrite(size_t bytes);
  // RocksDB finished (or gave up) a flush.
  void OnFlushCompleted();
  // A database's due time changed.
  void Wake();

  // The highest memtable memory that was seen after any write since the process began.
  size_t peak_bytes() const { return peak_bytes_.load(std::memory_order_relaxed); }
  // Flushes that the arbiter asked for.
  int64_t flushes() const { return flushes_.load(std::memory_order_relaxed); }

  void Stop();

 private:
  void Run();
  void FlushDue();
  void FlushForMemory();
  bool WantsFlush();
  // Flushes one database; false when none has anything to flush.
  bool FlushOne();
  std::vector<std::shared_ptr<FlushTarget>> LiveTargets();

  const Options options_;
  const std::shared_ptr<rocksdb::WriteBufferManager> manager_;

  std::mutex mutex_;
  std::condition_variable wake_;   // the arbiter's
  std::condition_variable freed_;  // the waiting writers'
  std::vector<std::weak_ptr<FlushTarget>>
      targets_;  // guarded by mutex_, as is everything down to the atomics
  size_t admitted_bytes_ = 0;
  size_t waiting_bytes_ = 0;
  uint64_t written_bytes_ = 0;
  uint64_t completed_flushes_ = 0;
  bool nothing_to_flush_ = false;
  bool signalled_ = false;
  bool stopped_ = false;

  static std::atomic<size_t> peak_bytes_;
  std::atomic<int64_t> flushes_{0};
  std::thread thread_;
};

// ms since an arbitrary moment; never goes back.
int64_t MonotonicMs();

}  // namespace weir
