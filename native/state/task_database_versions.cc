#include <rocksdb/db.h>

#include "state/rocksdb_status.h"
#include "state/task_database.h"

namespace weir {

bool TaskDatabase::IsVersioned(size_t store) const {
  const std::optional<SegmentSettings>& segments = options_.stores[store].segments;
  return segments.has_value() && segments->versioned();
}

Status TaskDatabase::CheckVersioned(size_t store) const {
  Status status = CheckStore(store);
  if (!status.ok() || IsVersioned(store)) return status;
  return Status::Invalid("Store " + options_.stores[store].name + " keeps no versions");
}

Result<PutOutcome> TaskDatabase::PutVersion(size_t store, std::string_view key, const Version& version) {
  FinishCommit();
  Status status = CheckVersioned(store);
  if (status.ok()) status = CheckIdle("A change");
  if (!status.ok()) return status;
  const Overlay& overlay = *overlays_[store];
  PutLog* const log = put_logs_[store].get();
  const size_t before = overlay.bytes();
  const size_t changed_before = overlay.changed_bytes();
  const Result<int64_t> valid_to =
      histories_[store]->Put(key, version, &overlay_observed_[store].stream_time_ms);
  int64_t grown = static_cast<int64_t>(overlay.bytes() - before);
  uncommitted_bytes_ += static_cast<int64_t>(overlay.changed_bytes() - changed_before);
  if (valid_to.ok() && valid_to.value() != VersionHistory::kNotPut && log != nullptr) {
    const size_t logged_before = log->bytes();
    log->Add(key, version.value, version.from_ms);
    grown += static_cast<int64_t>(log->bytes() - logged_before);
    uncommitted_bytes_ += static_cast<int64_t>(log->bytes() - logged_before);
  }
  overlay_bytes_ += grown;
  memory_->AddOverlayBytes(grown);
  if (!valid_to.ok()) return valid_to.status();
  return PutOutcome{valid_to.value(), uncommitted_bytes_};
}

Result<std::optional<FoundVersion>> TaskDatabase::GetVersion(size_t store, std::string_view key,
                                                             std::optional<int64_t> time_ms) {
  FinishCommit();
  const Status status = CheckVersioned(store);
  if (!status.ok()) return status;
  return histories_[store]->Get(key, time_ms, overlay_observed_[store].stream_time_ms);
}

Status TaskDatabase::WriteRestoredVersions(size_t store, const std::vector<ChangelogRecord>& records,
                                           int64_t next_offset, size_t memory_bytes) {
  Overlay rows;
  VersionHistory history(*options_.stores[store].segments, rows, *rocksdb_, store);
  Observed observed = LastObserved(store);
  for (const ChangelogRecord& record : records) {
    {
      const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
      if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
      const Result<int64_t> put =
          history.Put(record.key, {record.timestamp_ms, record.value}, &observed.stream_time_ms);
      if (!put.ok()) return put.status();
    }
    if (rows.bytes() < memory_bytes) continue;
    Status status = WriteRestoredRows(store, rows, observed, record.offset + 1);
    if (!status.ok()) return status;
    rows.Clear();
  }
  Status status = WriteRestoredRows(store, rows, observed, next_offset);
  if (status.ok()) AfterWrite(static_cast<int64_t>(records.size()));
  return status;
}

Status TaskDatabase::WriteRestoredRows(size_t store, const Overlay& rows, const Observed& observed,
                                       int64_t next_offset) {
  const SegmentSettings& segments = *options_.stores[store].segments;
  rocksdb::WriteBatch batch;
  std::string expired_before;
  {
    const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
    if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
    Result<std::string> expired = ExpireSegments(&batch, store, LastObserved(store), observed);
    if (!expired.ok()) return expired.status();
    expired_before = std::move(expired.value());
    const std::string oldest = SegmentPrefix(segments.OldestLive(observed.stream_time_ms));
    rocksdb::ColumnFamilyHandle* const family = rocksdb_->family(store);
    for (auto at = rows.rows().LowerBound(oldest); at != rows.rows().end(); ++at) {
      const auto& [key, row] = *at;
      const rocksdb::Status batched =
          row.deleted ? batch.Delete(family, key.bytes) : batch.Put(family, key.bytes, row.value());
      if (!batched.ok())
        return RocksdbStatus(batched,
                             "Records of store " + options_.stores[store].name + " cannot be collected");
    }
  }
  StoreOffset offset = RestoredOffset(store, next_offset);
  Status status = PutOffset(&batch, offset);
  if (status.ok()) status = PutObserved(&batch, store, observed);
  if (status.ok()) status = rocksdb_->Write(&batch);
  if (!status.ok()) return status;
  SetRestored(store, std::move(offset), observed);
  if (!expired_before.empty()) rocksdb_->DeleteFilesBefore(store, expired_before);
  return Status::Ok();
}

}  // namespace weir
