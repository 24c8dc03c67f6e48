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

// How long RocksDB may go without the rows that were committed, when commits go on: as much has to be restored after an abort.
constexpr std::chrono::milliseconds kKeptMs(10'000);

// What one database keeps at the most: writing it stops the task.
constexpr int64_t kKeptBytesMax = int64_t{4} << 20;

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
  is_keeping_ = MayKeep();
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

bool TaskDatabase::KeepsRows(size_t store) const {
  const StoreSettings& settings = options_.stores[store];
  return settings.changelog_topic.has_value() && !settings.in_memory && !settings.segments.has_value();
}

bool TaskDatabase::MayKeep() const {
  if (shared_id_ >= 0) return false;
  size_t changes = 0;
  for (const std::unique_ptr<Overlay>& overlay : overlays_) changes += overlay->changed_count();
  if (kept_records_ + static_cast<int64_t>(changes) > options_.flush_every_records) return false;
  if (std::chrono::steady_clock::now() - written_at_ >= kKeptMs) return false;
  return overlay_bytes_ < std::min(kKeptBytesMax, memory_->KeptBytesShare());
}

Status TaskDatabase::DrainStore(size_t store, ChangelogSink& sink, DrainTotals* totals) {
  const StoreSettings& settings = options_.stores[store];
  Overlay& overlay = *overlays_[store];
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
  if (is_keeping_ && KeepsRows(store)) {
    for (const Overlay::Entry* const entry : overlay.SortedChanges()) {
      Status logged = LogRow(store, sink, topic, *entry, totals);
      if (!logged.ok()) return logged;
    }
    return Status::Ok();
  }
  auto at = overlay.rows().begin();
  if (settings.segments.has_value()) {
    const Observed& observed = overlay_observed_[store];
    if (!settings.in_memory) {
      Result<std::string> expired = ExpireSegments(&batch_, store, LastObserved(store), observed);
      if (!expired.ok()) return expired.status();
      expired_before_[store] = std::move(expired.value());
    }
    const std::string oldest = SegmentPrefix(settings.segments->OldestLive(observed.stream_time_ms));
    at = overlay.rows().LowerBound(oldest);
  }
  for (; at != overlay.rows().end(); ++at) {
    // FinishCommit takes over what is in memory alone.
    Status drained = settings.in_memory ? Status::Ok() : BatchRow(store, *at);
    if (drained.ok() && topic >= 0 && puts == nullptr && at->row.changed)
      drained = LogRow(store, sink, topic, *at, totals);
    if (!drained.ok()) return drained;
  }
  if (puts == nullptr) return Status::Ok();
  for (const PutLog::Put& put : puts->puts()) {
    Status logged = LogChange(store, sink, topic, put, totals);
    if (!logged.ok()) return logged;
  }
  return Status::Ok();
}

Status TaskDatabase::BatchRow(size_t store, const Overlay::Entry& entry) {
  rocksdb::ColumnFamilyHandle* const family = rocksdb_->family(store);
  const rocksdb::Status batched = entry.row.deleted ? batch_.Delete(family, entry.key.bytes)
                                                    : batch_.Put(family, entry.key.bytes, entry.row.value());
  return RocksdbStatus(batched,
                       "The changes of store " + options_.stores[store].name + " cannot be collected");
}

Status TaskDatabase::LogRow(size_t store, ChangelogSink& sink, int topic, const Overlay::Entry& entry,
                            DrainTotals* totals) {
  const StoreSettings& settings = options_.stores[store];
  const size_t prefix_bytes = settings.segments.has_value() ? SegmentSettings::kPrefixBytes : 0;
  const size_t value_begin = settings.timestamped ? 8 : 0;
  const std::optional<std::string_view> value =
      entry.row.deleted ? std::nullopt : std::optional(entry.row.value().substr(value_begin));
  return LogChange(store, sink, topic, {entry.key.bytes.substr(prefix_bytes), value, entry.row.timestamp_ms},
                   totals);
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
  const Result<std::vector<std::pair<size_t, StoreOffset>>> offsets = OffsetsToCommit();
  Status status = offsets.ok() ? Status::Ok() : offsets.status();
  const auto keeps = [this](size_t store) { return is_keeping_ && KeepsRows(store); };
  for (size_t i = 0; status.ok() && i < offsets.value().size(); i++) {
    const auto& [store, offset] = offsets.value()[i];
    if (!options_.stores[store].in_memory && !keeps(store)) status = PutOffset(&batch_, offset);
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
  int64_t records = 0;
  {
    std::lock_guard<std::mutex> lock(offsets_mutex_);
    for (const auto& [store, offset] : offsets.value()) {
      if (changelog_ends_[store] >= 0 && drained_records_[store] > 0) {
        changelog_ends_[store] = offset.offset;
        committed_ends_[store] = offset.offset;
      }
      if (keeps(store)) {
        kept_offsets_[store] = offset;
        continue;
      }
      if (source_offsets_[store] >= 0)
        records += offset.offset - std::max<int64_t>(0, offsets_[store].offset);
      offsets_[store] = offset;
      kept_offsets_[store].reset();
    }
    observed_ = overlay_observed_;
  }
  for (size_t i = 0; i < expired_before_.size(); i++) {
    if (!expired_before_[i].empty()) rocksdb_->DeleteFilesBefore(i, expired_before_[i]);
  }
  for (const int64_t drained : drained_records_) records += drained;
  batch_ = rocksdb::WriteBatch();
  sink_.reset();
  if (is_keeping_) {
    kept_records_ += records;
  } else {
    AfterWrite(records + kept_records_);
    kept_records_ = 0;
    written_at_ = std::chrono::steady_clock::now();
  }
  phase_.store(Phase::kWritten, std::memory_order_release);
  return Status::Ok();
}

Status TaskDatabase::WriteKept() {
  if (released_.load() || is_reader_) return Status::Ok();
  ForgetOverwritten();
  std::vector<std::optional<StoreOffset>> kept;
  {
    std::lock_guard<std::mutex> lock(offsets_mutex_);
    kept = kept_offsets_;
  }
  batch_.Clear();
  for (size_t store = 0; store < kept.size(); store++) {
    if (!kept[store].has_value()) continue;
    const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
    if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
    for (auto at = overlays_[store]->rows().begin(); at != overlays_[store]->rows().end(); ++at) {
      Status batched = BatchRow(store, *at);
      if (!batched.ok()) return batched;
    }
    Status batched = PutOffset(&batch_, *kept[store]);
    if (!batched.ok()) return batched;
  }
  if (batch_.Count() == 0) return Status::Ok();
  Status status = rocksdb_->Write(&batch_);
  batch_ = rocksdb::WriteBatch();
  if (!status.ok()) return status;
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  for (size_t store = 0; store < kept.size(); store++) {
    if (!kept[store].has_value()) continue;
    offsets_[store] = *kept[store];
    kept_offsets_[store].reset();
  }
  return Status::Ok();
}

void TaskDatabase::AfterWrite(int64_t records) {
  if (records_since_flush_.fetch_add(records) + records < options_.flush_every_records) return;
  records_since_flush_.store(0);
  rocksdb_->RequestFlush();
}

Result<std::vector<std::pair<size_t, StoreOffset>>> TaskDatabase::OffsetsToCommit() const {
  std::vector<std::pair<size_t, StoreOffset>> changed;
  const int64_t now = WallClockMs();
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  for (size_t i = 0; i < options_.stores.size(); i++) {
    const StoreSettings& store = options_.stores[i];
    const int64_t source_offset = source_offsets_[i];
    if (!store.changelog_topic.has_value() && source_offset < 0) continue;
    StoreOffset offset = kept_offsets_[i].value_or(offsets_[i]);
    // What was kept until now is in this commit's batch.
    bool moved = kept_offsets_[i].has_value() && !is_keeping_;
    if (source_offset >= 0) {
      moved = moved || offset.offset != source_offset;
      offset.offset = source_offset;
    }
    if (drained_records_[i] > 0) {
      offset.offset = sink_->DeliveredOffset(sink_->TopicId(*store.changelog_topic), options_.partition);
      if (offset.offset < 0) {
        return Status::Invalid("A commit of " + options_.path + " before the records of " +
                               *store.changelog_topic + " were delivered");
      }
      Status only_writer = CheckOnlyWriter(i, offset.offset);
      if (!only_writer.ok()) return only_writer;
    }
    const bool stale = offset.offset >= 0 && now - offset.written_at_ms >= kOffsetRefreshMs;
    if (!moved && drained_records_[i] == 0 && offset.topic_id == topic_ids_[i] && !stale) continue;
    offset.topic_id = topic_ids_[i];
    offset.written_at_ms = now;
    changed.emplace_back(i, std::move(offset));
  }
  return changed;
}

Status TaskDatabase::CheckOnlyWriter(size_t store, int64_t end) const {
  const int64_t begin = changelog_ends_[store];
  if (begin < 0 || end - begin == drained_records_[store]) return Status::Ok();
  return Status("changelog-shared", "The changelog " + *options_.stores[store].changelog_topic + "[" +
                                        std::to_string(options_.partition) + "] has " +
                                        std::to_string(end - begin) + " records from offset " +
                                        std::to_string(begin) + " on, of which " + options_.path + " wrote " +
                                        std::to_string(drained_records_[store]));
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

void TaskDatabase::ForgetOverwritten() {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  for (size_t store = 0; store < kept_offsets_.size(); store++)
    if (overlays_[store]->changed_count() > 0) kept_offsets_[store].reset();
}

void TaskDatabase::ClearOverlays() {
  int64_t freed = 0;
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  for (size_t store = 0; store < overlays_.size(); store++) {
    Overlay& overlay = *overlays_[store];
    PutLog* const puts = put_logs_[store].get();
    freed += static_cast<int64_t>(overlay.bytes() + (puts == nullptr ? 0 : puts->bytes()));
    if (kept_offsets_[store].has_value()) {
      overlay.KeepChanges();
    } else {
      overlay.Clear();
    }
    if (puts != nullptr) puts->Clear();
    freed -= static_cast<int64_t>(overlay.bytes() + (puts == nullptr ? 0 : puts->bytes()));
  }
  memory_->AddOverlayBytes(-freed);
  overlay_bytes_ -= freed;
  uncommitted_bytes_ = 0;
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
  ForgetOverwritten();
  ClearOverlays();
  batch_.Clear();
  sink_.reset();
  phase_.store(Phase::kIdle, std::memory_order_release);
  return Status::Ok();
}

Status TaskDatabase::BeginEmpty(size_t store) {
  FinishCommit();
  Status status = CheckStore(store);
  if (status.ok()) status = CheckIdle("Emptying a store");
  if (!status.ok()) return status;
  Overlay& overlay = *overlays_[store];
  if (overlay.changed_count() > 0 || table(store) != nullptr || shared_id_ >= 0)
    return Status::Invalid("Store " + options_.stores[store].name +
                           " cannot be emptied: it has changes, is in memory, or is shared");
  CloseScans();
  const auto before = static_cast<int64_t>(overlay.bytes());
  overlay.Clear();
  const int64_t freed = before - static_cast<int64_t>(overlay.bytes());
  overlay_bytes_ -= freed;
  memory_->AddOverlayBytes(-freed);
  return Status::Ok();
}

// A task that goes may discard and close meanwhile: neither uses a family without its lock.
Status TaskDatabase::Empty(size_t store) { return rocksdb_->RecreateFamily(store); }

}  // namespace weir
