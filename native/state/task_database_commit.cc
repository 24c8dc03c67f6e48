#include <rocksdb/db.h>

#include <algorithm>

#include "state/rocksdb_status.h"
#include "state/task_database.h"

namespace weir {

namespace {

// How often Drain asks for delivery errors.
constexpr int64_t kErrorCheckRecords = 1024;

// A store without changes is as current as its last commit; this is how often that is written down.
constexpr int64_t kOffsetRefreshMs = 10 * 60 * 1000;

}  // namespace

Status TaskDatabase::BeginDrain() {
  FinishCommit();
  const Status status = CheckIdle("A drain");
  if (!status.ok()) return status;
  CloseScans();
  phase_.store(Phase::kDraining, std::memory_order_release);
  return Status::Ok();
}

Result<DrainTotals> TaskDatabase::Drain(std::shared_ptr<ChangelogSink> sink) {
  DrainTotals totals;
  Status status;
  batch_.Clear();
  for (size_t store = 0; store < options_.stores.size() && status.ok(); store++)
    status = DrainStore(store, *sink, &totals);
  if (status.ok()) status = sink->FirstError();
  if (!status.ok()) {
    batch_.Clear();
    phase_.store(Phase::kIdle, std::memory_order_release);
    return status;
  }
  sink_ = std::move(sink);
  phase_.store(Phase::kDrained, std::memory_order_release);
  return totals;
}

Status TaskDatabase::DrainStore(size_t store, ChangelogSink& sink, DrainTotals* totals) {
  const StoreSettings& settings = options_.stores[store];
  const Overlay& overlay = *overlays_[store];
  drained_records_[store] = 0;
  expired_before_[store].clear();
  const PutLog* const puts = put_logs_[store].get();
  if (overlay.empty() && (puts == nullptr || puts->empty())) return Status::Ok();
  const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
  if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
  int topic = -1;
  if (settings.changelog_topic.has_value()) {
    topic = sink.TopicId(*settings.changelog_topic);
    if (topic < 0)
      return Status::Invalid("The changelog " + *settings.changelog_topic +
                             " is not registered with the producer");
  }
  rocksdb::ColumnFamilyHandle* const family = rocksdb_->family(store);
  const size_t value_begin = settings.timestamped ? 8 : 0;
  size_t prefix_bytes = 0;
  auto at = overlay.rows().begin();
  if (settings.segments.has_value()) {
    const Observed& observed = overlay_observed_[store];
    if (!settings.in_memory) {
      Result<std::string> expired = ExpireSegments(&batch_, store, LastObserved(store), observed);
      if (!expired.ok()) return expired.status();
      expired_before_[store] = std::move(expired.value());
    }
    prefix_bytes = SegmentSettings::kPrefixBytes;
    const std::string oldest = SegmentPrefix(settings.segments->OldestLive(observed.stream_time_ms));
    at = overlay.rows().LowerBound(OverlayKey(oldest));
  }
  for (; at != overlay.rows().end(); ++at) {
    const auto& [key, row] = *at;
    rocksdb::Status batched;
    if (settings.in_memory) {
      // FinishCommit takes it over.
    } else if (row.deleted) {
      batched = batch_.Delete(family, key.bytes);
    } else {
      batched = batch_.Put(family, key.bytes, row.value());
    }
    if (!batched.ok())
      return RocksdbStatus(batched, "The changes of store " + settings.name + " cannot be collected");
    if (topic < 0 || puts != nullptr) continue;
    const std::optional<std::string_view> value =
        row.deleted ? std::nullopt : std::optional(row.value().substr(value_begin));
    Status logged =
        LogChange(store, sink, topic, {key.bytes.substr(prefix_bytes), value, row.timestamp_ms}, totals);
    if (!logged.ok()) return logged;
  }
  if (puts == nullptr) return Status::Ok();
  for (const PutLog::Put& put : puts->puts()) {
    Status logged = LogChange(store, sink, topic, put, totals);
    if (!logged.ok()) return logged;
  }
  return Status::Ok();
}

Status TaskDatabase::LogChange(size_t store, ChangelogSink& sink, int topic, const PutLog::Put& change,
                               DrainTotals* totals) {
  if (drained_records_[store] % kErrorCheckRecords == 0) {
    Status error = sink.FirstError();
    if (!error.ok()) return error;
  }
  const std::string_view headers =
      change.value.has_value() ? std::string_view(options_.stores[store].changelog_headers) : "";
  Status appended =
      sink.Append(topic, options_.partition, change.key, change.value, headers, change.timestamp_ms);
  if (!appended.ok()) return appended;
  drained_records_[store]++;
  totals->records++;
  totals->bytes += static_cast<int64_t>(change.key.size() + change.value.value_or(std::string_view()).size());
  return Status::Ok();
}

Status TaskDatabase::BeginCommit() {
  const Status status = CheckOpen();
  if (!status.ok()) return status;
  if (phase_.load(std::memory_order_acquire) != Phase::kDrained) {
    return Status::Invalid("A commit of " + options_.path + " without a drain before it");
  }
  CloseScans();
  phase_.store(Phase::kCommitting, std::memory_order_release);
  return Status::Ok();
}

Status TaskDatabase::Commit() {
  Result<std::vector<StoreOffset>> offsets = OffsetsToCommit();
  Status status = offsets.ok() ? Status::Ok() : offsets.status();
  for (size_t i = 0; status.ok() && i < offsets.value().size(); i++) {
    if (!IsInMemory(offsets.value()[i].store)) status = PutOffset(&batch_, offsets.value()[i]);
  }
  for (size_t i = 0; status.ok() && i < options_.stores.size(); i++) {
    if (options_.stores[i].in_memory) continue;
    if (overlay_observed_[i] != LastObserved(i)) status = PutObserved(&batch_, i, overlay_observed_[i]);
  }
  if (status.ok() && batch_.Count() > 0) status = rocksdb_->Write(&batch_);
  if (!status.ok()) {
    phase_.store(Phase::kDrained, std::memory_order_release);
    return status;
  }
  {
    std::lock_guard<std::mutex> lock(offsets_mutex_);
    for (StoreOffset& written : offsets.value()) {
      for (StoreOffset& offset : offsets_) {
        if (offset.store == written.store) offset = written;
      }
    }
    observed_ = overlay_observed_;
  }
  for (size_t i = 0; i < expired_before_.size(); i++) {
    if (!expired_before_[i].empty()) rocksdb_->DeleteFilesBefore(i, expired_before_[i]);
  }
  int64_t records = 0;
  for (const int64_t drained : drained_records_) records += drained;
  batch_ = rocksdb::WriteBatch();
  sink_.reset();
  phase_.store(Phase::kWritten, std::memory_order_release);
  AfterWrite(records);
  return Status::Ok();
}

void TaskDatabase::AfterWrite(int64_t records) {
  if (records_since_flush_.fetch_add(records) + records < options_.flush_every_records) return;
  records_since_flush_.store(0);
  rocksdb_->RequestFlush();
}

bool TaskDatabase::IsInMemory(const std::string& store) const {
  return std::any_of(options_.stores.begin(), options_.stores.end(),
                     [&store](const StoreSettings& one) { return one.in_memory && one.name == store; });
}

Result<std::vector<StoreOffset>> TaskDatabase::OffsetsToCommit() const {
  std::vector<StoreOffset> changed;
  const int64_t now = WallClockMs();
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  for (size_t i = 0; i < options_.stores.size(); i++) {
    const StoreSettings& store = options_.stores[i];
    if (!store.changelog_topic.has_value()) continue;
    StoreOffset offset = offsets_[i];
    if (drained_records_[i] > 0) {
      offset.offset = sink_->DeliveredOffset(sink_->TopicId(*store.changelog_topic), options_.partition);
      if (offset.offset < 0) {
        return Status::Invalid("A commit of " + options_.path + " before the records of " +
                               *store.changelog_topic + " were delivered");
      }
    }
    const bool stale = offset.offset >= 0 && now - offset.written_at_ms >= kOffsetRefreshMs;
    if (drained_records_[i] == 0 && offset.topic_id == topic_ids_[i] && !stale) continue;
    offset.topic_id = topic_ids_[i];
    offset.written_at_ms = now;
    changed.push_back(std::move(offset));
  }
  return changed;
}

Status TaskDatabase::PutOffset(rocksdb::WriteBatch* batch, const StoreOffset& offset) const {
  const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
  if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
  return RocksdbStatus(batch->Put(rocksdb_->family(offsets_family()), offset.store, EncodeOffset(offset)),
                       "The offset of store " + offset.store + " cannot be collected");
}

Result<std::string> TaskDatabase::ExpireSegments(rocksdb::WriteBatch* batch, size_t store,
                                                 const Observed& before, const Observed& after) const {
  const SegmentSettings& segments = *options_.stores[store].segments;
  const int64_t oldest = segments.OldestLive(after.stream_time_ms);
  if (before.stream_time_ms < 0 || oldest == segments.OldestLive(before.stream_time_ms)) return std::string();
  // From the very first segment on: the files that held earlier deletions may be gone, with rows below them left in
  // others.
  std::string end = SegmentPrefix(oldest);
  const rocksdb::Status deleted = batch->DeleteRange(rocksdb_->family(store), SegmentPrefix(0), end);
  if (!deleted.ok())
    return RocksdbStatus(deleted, "Segments of store " + options_.stores[store].name + " cannot be expired");
  return end;
}

Status TaskDatabase::PutObserved(rocksdb::WriteBatch* batch, size_t store, const Observed& observed) const {
  const std::string& name = options_.stores[store].name;
  const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
  if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
  return RocksdbStatus(batch->Put(rocksdb_->family(offsets_family()), ObservedKey(name),
                                  EncodeObserved(observed, *options_.stores[store].segments)),
                       "The stream time of store " + name + " cannot be collected");
}

Observed TaskDatabase::LastObserved(size_t store) const {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  return observed_[store];
}

void TaskDatabase::FinishCommit() {
  if (phase_.load(std::memory_order_acquire) != Phase::kWritten) return;
  // Scans that began while the commit was being written merge an overlay that goes.
  CloseScans();
  for (size_t store = 0; store < tables_.size(); store++) {
    if (tables_[store] == nullptr) continue;
    const size_t before = tables_[store]->bytes();
    tables_[store]->Fold(*overlays_[store]);
    if (const std::optional<SegmentSettings>& segments = options_.stores[store].segments;
        segments.has_value())
      tables_[store]->EraseBefore(SegmentPrefix(segments->OldestLive(LastObserved(store).stream_time_ms)));
    CountTable(before, *tables_[store]);
  }
  ClearOverlays();
  phase_.store(Phase::kIdle, std::memory_order_release);
}

void TaskDatabase::CountTable(size_t bytes_before, const MemoryTable& table) {
  memory_->AddInMemoryBytes(static_cast<int64_t>(table.bytes()) - static_cast<int64_t>(bytes_before));
}

void TaskDatabase::ClearOverlays() {
  for (const std::unique_ptr<Overlay>& overlay : overlays_) overlay->Clear();
  for (const std::unique_ptr<PutLog>& puts : put_logs_)
    if (puts != nullptr) puts->Clear();
  memory_->AddOverlayBytes(-overlay_bytes_);
  overlay_bytes_ = 0;
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  overlay_observed_ = observed_;
}

Status TaskDatabase::Discard() {
  FinishCommit();
  Status status = CheckOpen();
  if (!status.ok()) return status;
  const Phase phase = phase_.load(std::memory_order_acquire);
  if (phase != Phase::kIdle && phase != Phase::kDrained) {
    return Status::Invalid("Changes of " + options_.path +
                           " cannot be discarded while a drain or a commit runs");
  }
  CloseScans();
  ClearOverlays();
  batch_.Clear();
  sink_.reset();
  phase_.store(Phase::kIdle, std::memory_order_release);
  return Status::Ok();
}

}  // namespace weir
