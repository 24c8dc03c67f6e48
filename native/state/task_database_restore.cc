#include <rocksdb/db.h>

#include <map>
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
  if (IsVersioned(store) && !records.empty())
    return Status::Invalid("Records of store " + options_.stores[store].name +
                           ", which keeps versions, without order");
  // Without an offset the rows are about to go.
  ChangelogRows rows = NewChangelogRows(store, next_offset < 0 ? Observed{} : LastObserved(store));
  const Observed before = rows.observed();
  for (const ChangelogRecord& record : records) {
    Status observed = rows.Observe(record);
    if (!observed.ok()) return observed;
  }
  StoreOffset offset = RestoredOffset(store, next_offset);
  if (table(store) != nullptr) {
    RestoreTable(*table(store), rows, records);
    SetRestored(store, std::move(offset), rows.observed());
    return Status::Ok();
  }
  rocksdb::WriteBatch batch;
  const bool segmented = options_.stores[store].segments.has_value();
  std::string expired_before;
  {
    const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
    if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
    rocksdb::ColumnFamilyHandle* const family = rocksdb_->family(store);
    if (segmented) {
      Result<std::string> expired = ExpireSegments(&batch, store, before, rows.observed());
      if (!expired.ok()) return expired.status();
      expired_before = std::move(expired.value());
    }
    for (const ChangelogRecord& record : records) {
      const RestoredRow row = rows.RowOf(record);
      if (!rows.IsLive(row.key)) continue;
      const rocksdb::Slice key(row.key);
      const rocksdb::Slice value[2] = {row.head, row.tail};
      const rocksdb::Status batched =
          row.deleted ? batch.Delete(family, key)
                      : batch.Put(family, rocksdb::SliceParts(&key, 1), rocksdb::SliceParts(value, 2));
      if (!batched.ok())
        return RocksdbStatus(batched,
                             "Records of store " + options_.stores[store].name + " cannot be collected");
    }
  }
  Status status = PutOffset(&batch, offset);
  if (status.ok() && segmented) status = PutObserved(&batch, store, rows.observed());
  if (status.ok()) status = rocksdb_->Write(&batch);
  if (!status.ok()) return status;
  SetRestored(store, std::move(offset), rows.observed());
  if (!expired_before.empty()) rocksdb_->DeleteFilesBefore(store, expired_before);
  AfterWrite(static_cast<int64_t>(records.size()));
  return Status::Ok();
}

Status TaskDatabase::TakeOver(size_t store, int64_t end, const std::vector<ChangelogRecord>& unused) {
  const StoreSettings& settings = options_.stores[store];
  if (IsVersioned(store))
    return Status::Invalid("Store " + settings.name + " keeps versions: all of its changelog is applied");
  const Observed observed = LastObserved(store);
  const std::string live_from = settings.segments.has_value()
                                    ? SegmentPrefix(settings.segments->OldestLive(observed.stream_time_ms))
                                    : std::string();
  // Its time passes by records that are not applied; the store's does not.
  ChangelogRows rows = NewChangelogRows(store, observed);
  Overlay& overlay = *overlays_[store];
  const auto before = static_cast<int64_t>(overlay.bytes());
  const auto changed_before = static_cast<int64_t>(overlay.changed_bytes());
  Status status;
  for (size_t i = 0; i < unused.size() && status.ok(); i++) {
    status = rows.Observe(unused[i]);
    if (!status.ok()) break;
    const std::string key(rows.RowOf(unused[i]).key);
    if (key < live_from) continue;
    const Result<std::optional<std::string>> row = CommittedRow(store, key);
    status = row.ok() ? Status::Ok() : row.status();
    if (!status.ok()) break;
    const bool has_timestamp = settings.timestamped && row.value().has_value();
    overlay.Put(key, row.value(), has_timestamp ? GetInt64(row.value()->data()) : unused[i].timestamp_ms);
  }
  const int64_t grown = static_cast<int64_t>(overlay.bytes()) - before;
  {
    // Other stores may be restored at the same time.
    std::lock_guard<std::mutex> lock(offsets_mutex_);
    overlay_bytes_ += grown;
    uncommitted_bytes_ += static_cast<int64_t>(overlay.changed_bytes()) - changed_before;
    changelog_ends_[store] = end;
    committed_ends_[store] = unused.empty() ? end : offsets_[store].offset;
  }
  memory_->AddOverlayBytes(grown);
  return status;
}

Result<std::optional<std::string>> TaskDatabase::CommittedRow(size_t store, std::string_view key) {
  if (const MemoryTable* const rows = table(store); rows != nullptr) {
    const std::string* const row = rows->Find(key);
    return row == nullptr ? std::optional<std::string>() : std::optional(*row);
  }
  const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
  if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
  std::string row;
  const rocksdb::Status found =
      rocksdb_->db()->Get(rocksdb::ReadOptions(), rocksdb_->family(store), key, &row);
  if (found.IsNotFound()) return std::optional<std::string>();
  if (!found.ok()) return RocksdbStatus(found, "The state database " + options_.path + " cannot be read");
  return std::optional(std::move(row));
}

ChangelogRows TaskDatabase::NewChangelogRows(size_t store, const Observed& observed) const {
  const StoreSettings& settings = options_.stores[store];
  return {settings.name, settings.timestamped, settings.segments, observed};
}

void TaskDatabase::SetRestored(size_t store, StoreOffset offset, const Observed& observed) {
  SetOffset(store, std::move(offset));
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  observed_[store] = observed;
  overlay_observed_[store] = observed;
}

void TaskDatabase::RestoreTable(MemoryTable& table, ChangelogRows& rows,
                                const std::vector<ChangelogRecord>& records) {
  const size_t before = table.bytes();
  table.EraseBefore(rows.live_from());
  std::string value;
  for (const ChangelogRecord& record : records) {
    const RestoredRow row = rows.RowOf(record);
    if (!rows.IsLive(row.key)) continue;
    value.assign(row.head).append(row.tail);
    table.Put(row.key, row.deleted ? std::nullopt : std::optional<std::string_view>(value));
  }
  CountTable(before, table);
}

std::string TaskDatabase::RestoreFolder(size_t store) const {
  return options_.path + kRestoreFolder + "/" + std::to_string(store);
}

std::unique_ptr<SstFiles> TaskDatabase::NewRestoredFiles(size_t store, size_t rows_max) {
  return std::make_unique<SstFiles>(rocksdb_, store, RestoreFolder(store) + "/rows-", rows_max);
}

Status TaskDatabase::IngestRestored(size_t store, const SstFiles& rows, const Observed& observed,
                                    int64_t next_offset) {
  StoreOffset offset = RestoredOffset(store, next_offset);
  std::map<std::string, std::string> known{{offset.store, EncodeOffset(offset)}};
  const std::optional<SegmentSettings>& segments = options_.stores[store].segments;
  if (segments.has_value()) known.emplace(ObservedKey(offset.store), EncodeObserved(observed, *segments));
  SstFiles known_files(rocksdb_, offsets_family(), RestoreFolder(store) + "/offset-", known.size());
  Status status;
  for (auto at = known.begin(); status.ok() && at != known.end(); ++at)
    status = known_files.Put(at->first, at->second);
  if (!status.ok()) return status;
  std::vector<RocksdbInstance::FamilyFiles> files{{known_files.family(), known_files.paths()}};
  if (!rows.paths().empty()) files.push_back({rows.family(), rows.paths()});
  status = rocksdb_->Ingest(files);
  if (!status.ok()) return status;
  SetRestored(store, std::move(offset), observed);
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
