#pragma once

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "common/status.h"
#include "state/flush_arbiter.h"
#include "state/rocksdb_options.h"
#include "state/state_memory.h"
#include "state/tombstone_limit.h"

namespace weir {

// One open RocksDB without a write-ahead log, its families in a fixed order, and what the flush arbiter has
// to know of it.
//
// Ownership: a TaskDatabase owns and closes it, or several share it: then the last of them closes it. Each keeps
// StateMemory alive until then. The arbiter may hold the object a little longer; once closed it is an empty shell. Threading: `db()` and `family()` without a
// lock, by the owner's JS thread, and by native threads that hold a Pin. All other methods from any thread.
class RocksdbInstance final : public FlushTarget {
 public:
  struct Options {
    std::string path;
    // Opened in this order, created when missing. Families on disk that are not named here are kept as they
    // are.
    struct Family {
      std::string name;
      RocksdbSettings settings;
    };
    std::vector<Family> families;
    // Of the database, and of all families.
    RocksdbSettings settings;
    int64_t flush_interval_ms;
  };

  // Keeps the database open while a native thread reads it.
  using Pin = std::shared_lock<std::shared_mutex>;

  // A folder that another process (or this one) has open fails with `rocksdb:Busy` and names the folder.
  static Result<std::shared_ptr<RocksdbInstance>> Open(StateMemory& memory, const Options& options);

  RocksdbInstance(StateMemory& memory, const Options& options);
  ~RocksdbInstance() override;

  // REQUIRES: not closed.
  rocksdb::DB* db() const { return db_.get(); }
  rocksdb::ColumnFamilyHandle* family(size_t index) const { return handles_[index]; }

  Pin PinOpen() const { return Pin(mutex_); }
  // REQUIRES: a Pin.
  bool is_open() const { return db_ != nullptr; }
  const std::string& path() const { return options_.path; }

  // Writes atomically, after the arbiter has found room for it. Fails with the first background error (a
  // flush that found the disk full, say): what is written then may never reach the disk.
  Status Write(rocksdb::WriteBatch* batch);
  // Flushes all families atomically; waits.
  Status Flush();
  // Takes in complete files, of one family or of several, all or none of them; on the disk when it returns. The
  // files are moved. REQUIRES: those of a family do not overlap.
  struct FamilyFiles {
    size_t family;
    std::vector<std::string> paths;
  };
  Status Ingest(const std::vector<FamilyFiles>& files);
  // Removes all rows of a family.
  // REQUIRES: no reader but those that hold a Pin.
  Status RecreateFamily(size_t index);
  // Deletes the files that hold nothing but keys below `key`, level 0 apart: space is given back at once. REQUIRES that
  // those keys have been deleted.
  void DeleteFilesBefore(size_t family, const std::string& key);
  // An integer property, summed over the families.
  Result<uint64_t> Property(const std::string& name) const;
  // An integer property of one family.
  Result<uint64_t> FamilyProperty(size_t family, const std::string& name) const;
  // One more owner. False when it is closed.
  bool AddOwner();
  // An owner's last call: the last owner's closes the database, another's only flushes it. Closes even when the
  // flush fails, and returns its failure. REQUIRES: once for each owner.
  Status Release(bool flush);

  size_t ActiveMemtableBytes() override;
  uint64_t LastWrite() const override { return last_write_.load(std::memory_order_relaxed); }
  int64_t FlushDueMs() const override;
  void RequestFlush() override;

 private:
  class Listener;

  Status OpenDatabase(StateMemory& memory);
  Status DescribeFamilies(StateMemory& memory, const rocksdb::DBOptions& database_options);
  Status FlushLocked(bool wait);
  // REQUIRES: mutex_ held exclusively, or nobody else has the object.
  Status CloseLocked(bool flush);
  Status Failure(const rocksdb::Status& status, const char* what) const;

  const Options options_;
  FlushArbiter* const arbiter_;  // used while open only
  const std::shared_ptr<Listener> listener_;

  // Held shared by all that uses the database, exclusively to close it or to replace a family.
  mutable std::shared_mutex mutex_;
  std::unique_ptr<rocksdb::DB> db_;
  int owners_ = 1;  // guarded by mutex_, held exclusively
  // Those of options_.families, then the others that the folder has.
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  // Of the families of handles_; set before the database is open.
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors_;
  std::vector<std::shared_ptr<TombstoneLimit>> tombstone_limits_;  // as descriptors_

  std::atomic<bool> unflushed_{false};
  std::atomic<uint64_t> last_write_{0};
  std::atomic<int64_t> flush_due_ms_{std::numeric_limits<int64_t>::max()};
};

}  // namespace weir
