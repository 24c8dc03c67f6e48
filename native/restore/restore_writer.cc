#include "restore/restore_writer.h"

#include "restore/bulk_writer.h"
#include "restore/direct_writer.h"
#include "restore/versioned_writer.h"

namespace weir {

Result<std::unique_ptr<RestoreWriter>> NewRestoreWriter(TaskDatabase& database, size_t store, int64_t records,
                                                        size_t memory_bytes) {
  if (database.IsVersioned(store))
    return std::unique_ptr<RestoreWriter>(std::make_unique<VersionedWriter>(database, store, memory_bytes));
  // Files are RocksDB's; memory takes rows as they come.
  if (records >= kBulkRecordsMin && !database.IsInMemory(store)) {
    // Into a store with rows files would overlap, and slow its reads until they are compacted.
    const Result<bool> empty = database.StoreIsEmpty(store);
    if (!empty.ok()) return empty.status();
    if (empty.value()) return BulkWriter::Create(database, store, memory_bytes);
  }
  return std::unique_ptr<RestoreWriter>(std::make_unique<DirectWriter>(database, store));
}

}  // namespace weir
