#include <rocksdb/db.h>

#include <memory>

#include "state/rocksdb_status.h"
#include "state/task_database.h"

namespace weir {

Result<bool> TaskDatabase::StoreIsEmpty(size_t store) {
  const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
  if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
  const std::unique_ptr<rocksdb::Iterator> iterator(
      rocksdb_->db()->NewIterator(rocksdb::ReadOptions(), rocksdb_->family(store)));
  iterator->SeekToFirst();
  const Status status =
      RocksdbStatus(iterator->status(), "The state database " + options_.path + " cannot be read");
  if (!status.ok()) return status;
  return !iterator->Valid();
}

Status TaskDatabase::ClearStore(size_t store) {
  EndRestore(store);
  if (MemoryTable* const rows = table(store); rows != nullptr) {
    const size_t before = rows->bytes();
    rows->Clear();
    CountTable(before, *rows);
    return WriteRestored(store, {}, -1);
  }
  const Result<bool> empty = StoreIsEmpty(store);
  if (!empty.ok()) return empty.status();
  Status status = WriteRestored(store, {}, -1);
  if (!status.ok() || empty.value()) return status;
  // The missing offset reaches the disk before the rows go.
  status = rocksdb_->Flush();
  if (!status.ok()) return status;
  return rocksdb_->RecreateFamily(store);
}

void TaskDatabase::BeginRestore(size_t store) {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  restoring_[store] = true;
}

void TaskDatabase::EndRestore(size_t store) {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  restoring_[store] = false;
}

Status TaskDatabase::WriteRestored(size_t store, const std::vector<ChangelogRecord>& records,
                                   int64_t next_offset) {
  if (MemoryTable* const rows = table(store); rows != nullptr) {
    RestoreTable(*rows, options_.stores[store].timestamped, records);
    SetOffset(store, RestoredOffset(store, next_offset));
    return Status::Ok();
  }
  rocksdb::WriteBatch batch;
  const std::optional<SegmentSettings>& segments = options_.stores[store].segments;
  // Without an offset the rows are about to go.
  Observed observed = next_offset < 0 ? Observed{} : LastObserved(store);
  std::string expired_before;
  {
    const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
    if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
    rocksdb::ColumnFamilyHandle* const family = rocksdb_->family(store);
    ChangelogRows rows(options_.stores[store].timestamped);
    rocksdb::Status batched;
    int64_t oldest_live = 0;
    if (segments.has_value()) {
      const Observed before = observed;
      for (const ChangelogRecord& record : records) {
        if (!segments->IsChangelogKey(record.key)) {
          return Status::Invalid("A record of the changelog of store " + options_.stores[store].name +
                                 " has a key of " + std::to_string(record.key.size()) +
                                 " bytes; its keys have at least " + std::to_string(segments->suffix_bytes));
        }
        observed.Add(*segments, record.key);
      }
      Result<std::string> expired = ExpireSegments(&batch, store, before, observed);
      if (!expired.ok()) return expired.status();
      expired_before = std::move(expired.value());
      oldest_live = segments->OldestLive(observed.stream_time_ms);
    }
    for (const ChangelogRecord& record : records) {
      const RestoredRow row = rows.RowOf(record);
      std::string segment;
      if (segments.has_value()) {
        const int64_t segment_of_row = segments->SegmentOf(segments->TimeOf(record.key));
        if (segment_of_row < oldest_live) continue;
        segment = SegmentPrefix(segment_of_row);
      }
      const rocksdb::Slice key[2] = {segment, row.key};
      const rocksdb::Slice value[2] = {row.head, row.tail};
      batched = row.deleted ? batch.Delete(family, rocksdb::SliceParts(key, 2))
                            : batch.Put(family, rocksdb::SliceParts(key, 2), rocksdb::SliceParts(value, 2));
      if (!batched.ok())
        return RocksdbStatus(batched,
                             "Records of store " + options_.stores[store].name + " cannot be collected");
    }
  }
  StoreOffset offset = RestoredOffset(store, next_offset);
  Status status = PutOffset(&batch, offset);
  if (status.ok() && segments.has_value()) status = PutObserved(&batch, store, observed);
  if (status.ok()) status = rocksdb_->Write(&batch);
  if (!status.ok()) return status;
  SetOffset(store, std::move(offset));
  {
    std::lock_guard<std::mutex> lock(offsets_mutex_);
    observed_[store] = observed;
    overlay_observed_[store] = observed;
  }
  if (!expired_before.empty()) rocksdb_->DeleteFilesBefore(store, expired_before);
  AfterWrite(static_cast<int64_t>(records.size()));
  return Status::Ok();
}

void TaskDatabase::RestoreTable(MemoryTable& table, bool timestamped,
                                const std::vector<ChangelogRecord>& records) {
  const size_t before = table.bytes();
  std::string row;
  for (const ChangelogRecord& record : records) {
    if (!record.value.has_value() || !timestamped) {
      table.Put(record.key, record.value);
      continue;
    }
    row.resize(8);
    PutInt64(row.data(), record.timestamp_ms);
    row.append(*record.value);
    table.Put(record.key, row);
  }
  CountTable(before, table);
}

std::string TaskDatabase::RestoreFolder(size_t store) const {
  return options_.path + kRestoreFolder + "/" + std::to_string(store);
}

std::unique_ptr<SstFiles> TaskDatabase::NewRestoredFiles(size_t store, size_t rows_max) {
  return std::make_unique<SstFiles>(rocksdb_, store, RestoreFolder(store) + "/rows-", rows_max);
}

Status TaskDatabase::IngestRestored(size_t store, const SstFiles& rows, int64_t next_offset) {
  if (rows.paths().empty()) return WriteRestored(store, {}, next_offset);
  StoreOffset offset = RestoredOffset(store, next_offset);
  SstFiles offset_file(rocksdb_, offsets_family(), RestoreFolder(store) + "/offset-", 1);
  Status status = offset_file.Put(offset.store, EncodeOffset(offset));
  if (!status.ok()) return status;
  status = rocksdb_->Ingest({{rows.family(), rows.paths()}, {offset_file.family(), offset_file.paths()}});
  if (!status.ok()) return status;
  SetOffset(store, std::move(offset));
  return Status::Ok();
}

StoreOffset TaskDatabase::RestoredOffset(size_t store, int64_t next_offset) const {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  const int64_t written_at_ms = restoring_[store] ? offsets_[store].written_at_ms : WallClockMs();
  return {options_.stores[store].name, next_offset, written_at_ms, topic_ids_[store]};
}

void TaskDatabase::SetOffset(size_t store, StoreOffset offset) {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  offsets_[store] = std::move(offset);
}

}  // namespace weir
