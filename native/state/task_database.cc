#include "state/task_database.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>

#include "state/rocksdb_status.h"

namespace weir {

namespace {

// How often Drain asks for delivery errors.
constexpr int64_t kErrorCheckRecords = 1024;

// A store without changes is as current as its last commit; this is how often that is written down.
constexpr int64_t kOffsetRefreshMs = 10 * 60 * 1000;

int64_t WallClockMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

rocksdb::Slice SliceView(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

Result<std::shared_ptr<TaskDatabase>> TaskDatabase::Open(std::shared_ptr<StateMemory> memory,
                                                         TaskDatabaseOptions options) {
  RocksdbInstance::Options rocksdb_options{options.path, {}, options.rocksdb, options.flush_interval_ms};
  for (const StoreSettings& store : options.stores) {
    std::vector<std::string>& families = rocksdb_options.families;
    const std::string family = kStoreFamilyPrefix + store.name;
    if (std::find(families.begin(), families.end(), family) != families.end()) {
      return Status::Invalid("Two stores of one task are named '" + store.name + "'");
    }
    families.push_back(family);
  }
  rocksdb_options.families.push_back(kOffsetsFamily);
  Result<std::shared_ptr<RocksdbInstance>> rocksdb = RocksdbInstance::Open(*memory, rocksdb_options);
  if (!rocksdb.ok()) return rocksdb.status();
  auto database =
      std::make_shared<TaskDatabase>(std::move(memory), std::move(options), std::move(rocksdb.value()));
  const Status status = database->ReadOffsets();
  if (!status.ok()) return status;
  return database;
}

TaskDatabase::TaskDatabase(std::shared_ptr<StateMemory> memory, TaskDatabaseOptions options,
                           std::shared_ptr<RocksdbInstance> rocksdb)
    : memory_(std::move(memory)), options_(std::move(options)), rocksdb_(std::move(rocksdb)) {
  for (size_t i = 0; i < options_.stores.size(); i++) overlays_.push_back(std::make_unique<Overlay>());
  drained_records_.resize(options_.stores.size());
  topic_ids_.resize(options_.stores.size());
  observed_.resize(options_.stores.size());
  overlay_observed_.resize(options_.stores.size());
  expired_before_.resize(options_.stores.size());
}

TaskDatabase::~TaskDatabase() {
  memory_->AddOverlayBytes(-overlay_bytes_);
  // Close has told of a failure already, when anybody called it.
  const Status ignored = rocksdb_->Close(/*flush=*/true);
  static_cast<void>(ignored);
}

Status TaskDatabase::ReadOffsets() {
  for (size_t i = 0; i < options_.stores.size(); i++) {
    const std::string& name = options_.stores[i].name;
    std::string value;
    const rocksdb::Status status =
        rocksdb_->db()->Get(rocksdb::ReadOptions(), rocksdb_->family(offsets_family()), name, &value);
    offsets_.push_back(StoreOffset{name, -1, 0, ""});
    if (status.IsNotFound()) continue;
    if (!status.ok()) return RocksdbStatus(status, "The state database " + options_.path + " cannot be read");
    Result<StoreOffset> offset = DecodeOffset(name, value);
    if (!offset.ok()) return offset.status();
    topic_ids_[i] = offset.value().topic_id;
    offsets_.back() = std::move(offset.value());
  }
  for (size_t i = 0; i < options_.stores.size(); i++) {
    if (!options_.stores[i].segments.has_value()) continue;
    Status observed = ReadObserved(i);
    if (!observed.ok()) return observed;
  }
  return Status::Ok();
}

Status TaskDatabase::ReadObserved(size_t store) {
  const std::string& name = options_.stores[store].name;
  std::string value;
  const rocksdb::Status status = rocksdb_->db()->Get(
      rocksdb::ReadOptions(), rocksdb_->family(offsets_family()), ObservedKey(name), &value);
  // With an offset the rows were written by a store of another type.
  if (status.IsNotFound()) return offsets_[store].offset < 0 ? Status::Ok() : ClearStore(store);
  if (!status.ok()) return RocksdbStatus(status, "The state database " + options_.path + " cannot be read");
  const Result<std::optional<Observed>> observed =
      DecodeObserved(name, value, *options_.stores[store].segments);
  if (!observed.ok()) return observed.status();
  if (!observed.value().has_value()) return ClearStore(store);
  observed_[store] = *observed.value();
  overlay_observed_[store] = *observed.value();
  return Status::Ok();
}

Status TaskDatabase::CheckOpen() const {
  return closing_ ? Status::Closed("The state database " + options_.path) : Status::Ok();
}

Status TaskDatabase::CheckStore(size_t store) const {
  Status status = CheckOpen();
  if (!status.ok() || store < options_.stores.size()) return status;
  return Status::Invalid("The state database " + options_.path + " has no store number " +
                         std::to_string(store));
}

Status TaskDatabase::CheckIdle(const char* what) const {
  Status status = CheckOpen();
  if (!status.ok() || phase_.load(std::memory_order_acquire) == Phase::kIdle) return status;
  return Status::Invalid(std::string(what) + " while a commit of " + options_.path + " is under way");
}

Result<int64_t> TaskDatabase::Get(size_t store, std::string_view key, char* out, size_t out_size) {
  FinishCommit();
  const Status status = CheckStore(store);
  if (!status.ok()) return status;
  if (const Overlay::Row* const row = overlays_[store]->Find(key); row != nullptr) {
    if (row->deleted) return -1;
    if (row->length > 0 && row->length <= out_size) std::memcpy(out, row->data, row->length);
    return row->length;
  }
  rocksdb::PinnableSlice value;
  const rocksdb::Status found =
      rocksdb_->db()->Get(rocksdb::ReadOptions(), rocksdb_->family(store), SliceView(key), &value);
  if (found.IsNotFound()) return -1;
  if (!found.ok()) return RocksdbStatus(found, "The state database " + options_.path + " cannot be read");
  if (!value.empty() && value.size() <= out_size) std::memcpy(out, value.data(), value.size());
  return static_cast<int64_t>(value.size());
}

Result<std::shared_ptr<MultiGet>> TaskDatabase::NewMultiGet(size_t store, std::string_view arena,
                                                            RowColumns columns, size_t count) {
  FinishCommit();
  Status status = CheckStore(store);
  if (!status.ok()) return status;
  auto multi_get = std::make_shared<MultiGet>(rocksdb_, store, &memory_->read_pool());
  status = multi_get->Prepare(*overlays_[store], arena, columns, count);
  if (!status.ok()) return status;
  return multi_get;
}

Result<int64_t> TaskDatabase::Apply(size_t store, std::string_view arena, RowColumns columns,
                                    const double* timestamps, size_t count) {
  FinishCommit();
  Status status = CheckStore(store);
  if (status.ok()) status = CheckIdle("A change");
  if (!status.ok()) return status;
  Overlay& overlay = *overlays_[store];
  const size_t row_min = options_.stores[store].timestamped ? 8 : 0;
  const std::optional<SegmentSettings>& segments = options_.stores[store].segments;
  const auto before = static_cast<int64_t>(overlay.bytes());
  for (size_t i = 0; i < count && status.ok(); i++) {
    std::string_view key;
    std::string_view value;
    const bool deletes = columns.value_length[i] < 0;
    if (!SliceOf(arena, columns.key_start[i], columns.key_length[i], &key)) {
      status = OutsideArena("key", i, arena.size());
    } else if (!deletes && !SliceOf(arena, columns.value_start[i], columns.value_length[i], &value)) {
      status = OutsideArena("value", i, arena.size());
    } else if (!deletes && value.size() < row_min) {
      status = Status::Invalid("Row " + std::to_string(i) + " of the timestamped store " +
                               options_.stores[store].name + " does not begin with its timestamp");
    } else if (segments.has_value() && !segments->IsStoredKey(key)) {
      status = Status::Invalid("The key of row " + std::to_string(i) + " of store " +
                               options_.stores[store].name + " is not that of its segment");
    } else {
      if (segments.has_value()) overlay_observed_[store].Add(*segments, key);
      overlay.Put(key, deletes ? std::nullopt : std::optional(value), static_cast<int64_t>(timestamps[i]));
    }
  }
  const int64_t grown = static_cast<int64_t>(overlay.bytes()) - before;
  overlay_bytes_ += grown;
  memory_->AddOverlayBytes(grown);
  if (!status.ok()) return status;
  return overlay_bytes_;
}

Result<std::shared_ptr<MergedScan>> TaskDatabase::NewScan(size_t store, std::optional<std::string> from,
                                                          std::optional<std::string> to, bool reverse) {
  FinishCommit();
  const Status status = CheckStore(store);
  if (!status.ok()) return status;
  auto scan = std::make_shared<MergedScan>(shared_from_this(), overlays_[store].get(), std::move(from),
                                           std::move(to), reverse);
  scan->Open(rocksdb_->db(), rocksdb_->family(store));
  scans_.insert(scan.get());
  return scan;
}

void TaskDatabase::CloseScans() {
  // Each takes itself out of the set.
  while (!scans_.empty()) (*scans_.begin())->Close();
}

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
  if (overlay.empty()) return Status::Ok();
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
    Result<std::string> expired = ExpireSegments(&batch_, store, LastObserved(store), observed);
    if (!expired.ok()) return expired.status();
    expired_before_[store] = std::move(expired.value());
    prefix_bytes = SegmentSettings::kPrefixBytes;
    const std::string oldest = SegmentPrefix(settings.segments->OldestLive(observed.stream_time_ms));
    at = overlay.rows().lower_bound(OverlayKey(oldest));
  }
  for (; at != overlay.rows().end(); ++at) {
    const auto& [key, row] = *at;
    rocksdb::Status batched;
    if (row.deleted) {
      batched = batch_.Delete(family, SliceView(key.bytes));
    } else {
      batched = batch_.Put(family, SliceView(key.bytes), SliceView(row.value()));
    }
    if (!batched.ok())
      return RocksdbStatus(batched, "The changes of store " + settings.name + " cannot be collected");
    if (topic < 0) continue;
    if (drained_records_[store] % kErrorCheckRecords == 0) {
      Status error = sink.FirstError();
      if (!error.ok()) return error;
    }
    const std::optional<std::string_view> value =
        row.deleted ? std::nullopt : std::optional(row.value().substr(value_begin));
    const std::string_view changelog_key = key.bytes.substr(prefix_bytes);
    Status appended = sink.Append(topic, options_.partition, changelog_key, value, row.timestamp_ms);
    if (!appended.ok()) return appended;
    drained_records_[store]++;
    totals->records++;
    totals->bytes += static_cast<int64_t>(changelog_key.size() + (value.has_value() ? value->size() : 0));
  }
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
  for (size_t i = 0; status.ok() && i < offsets.value().size(); i++)
    status = PutOffset(&batch_, offsets.value()[i]);
  for (size_t i = 0; status.ok() && i < options_.stores.size(); i++) {
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
  const rocksdb::Status deleted =
      batch->DeleteRange(rocksdb_->family(store), SliceView(SegmentPrefix(0)), SliceView(end));
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
  ClearOverlays();
  phase_.store(Phase::kIdle, std::memory_order_release);
}

void TaskDatabase::ClearOverlays() {
  for (const std::unique_ptr<Overlay>& overlay : overlays_) overlay->Clear();
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

Status TaskDatabase::Flush() {
  records_since_flush_.store(0);
  return rocksdb_->Flush();
}

std::vector<StoreOffset> TaskDatabase::Offsets() const {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  return offsets_;
}

Result<Observed> TaskDatabase::ObservedBy(size_t store) const {
  if (store < options_.stores.size() && options_.stores[store].segments.has_value())
    return LastObserved(store);
  return Status::Invalid("The state database " + options_.path + " has no segmented store number " +
                         std::to_string(store));
}

Status TaskDatabase::SetTopicId(const std::string& store, std::string topic_id) {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  for (size_t i = 0; i < options_.stores.size(); i++) {
    if (options_.stores[i].name != store) continue;
    topic_ids_[i] = std::move(topic_id);
    return Status::Ok();
  }
  return Status::Invalid("The state database " + options_.path + " has no store '" + store + "'");
}

Result<uint64_t> TaskDatabase::Property(const std::string& name) {
  if (name != "weir.overlay-entries") return rocksdb_->Property(name);
  uint64_t entries = 0;
  for (const std::unique_ptr<Overlay>& overlay : overlays_) entries += overlay->rows().size();
  return entries;
}

Status TaskDatabase::ClearStore(size_t store) {
  bool empty;
  {
    const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
    if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
    const std::unique_ptr<rocksdb::Iterator> iterator(
        rocksdb_->db()->NewIterator(rocksdb::ReadOptions(), rocksdb_->family(store)));
    iterator->SeekToFirst();
    empty = !iterator->Valid();
    const Status status =
        RocksdbStatus(iterator->status(), "The state database " + options_.path + " cannot be read");
    if (!status.ok()) return status;
  }
  Status status = WriteRestored(store, {}, -1);
  if (!status.ok() || empty) return status;
  // The missing offset reaches the disk before the rows go.
  status = rocksdb_->Flush();
  if (!status.ok()) return status;
  return rocksdb_->RecreateFamily(store);
}

Status TaskDatabase::WriteRestored(size_t store, const std::vector<ChangelogRecord>& records,
                                   int64_t next_offset) {
  rocksdb::WriteBatch batch;
  const bool timestamped = options_.stores[store].timestamped;
  const std::optional<SegmentSettings>& segments = options_.stores[store].segments;
  // Without an offset the rows are about to go.
  Observed observed = next_offset < 0 ? Observed{} : LastObserved(store);
  std::string expired_before;
  StoreOffset offset;
  {
    const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
    if (!rocksdb_->is_open()) return Status::Closed("The state database " + options_.path);
    rocksdb::ColumnFamilyHandle* const family = rocksdb_->family(store);
    char timestamp[8];
    char segment[SegmentSettings::kPrefixBytes];
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
      rocksdb::Slice key_parts[2];
      int key_count = 0;
      if (segments.has_value()) {
        const int64_t segment_of_record = segments->SegmentOf(segments->TimeOf(record.key));
        if (segment_of_record < oldest_live) continue;
        PutInt64(segment, segment_of_record);
        key_parts[key_count++] = rocksdb::Slice(segment, sizeof(segment));
      }
      key_parts[key_count++] = SliceView(record.key);
      const rocksdb::SliceParts key(key_parts, key_count);
      if (!record.value.has_value()) {
        batched = batch.Delete(family, key);
      } else if (!timestamped) {
        const rocksdb::Slice row = SliceView(*record.value);
        batched = batch.Put(family, key, rocksdb::SliceParts(&row, 1));
      } else {
        PutInt64(timestamp, record.timestamp_ms);
        const rocksdb::Slice row[2] = {rocksdb::Slice(timestamp, sizeof(timestamp)),
                                       SliceView(*record.value)};
        batched = batch.Put(family, key, rocksdb::SliceParts(row, 2));
      }
      if (!batched.ok())
        return RocksdbStatus(batched,
                             "Records of store " + options_.stores[store].name + " cannot be collected");
    }
  }
  {
    std::lock_guard<std::mutex> lock(offsets_mutex_);
    offset = StoreOffset{options_.stores[store].name, next_offset, WallClockMs(), topic_ids_[store]};
  }
  Status status = PutOffset(&batch, offset);
  if (status.ok() && segments.has_value()) status = PutObserved(&batch, store, observed);
  if (status.ok()) status = rocksdb_->Write(&batch);
  if (!status.ok()) return status;
  {
    std::lock_guard<std::mutex> lock(offsets_mutex_);
    offsets_[store] = std::move(offset);
    observed_[store] = observed;
    overlay_observed_[store] = observed;
  }
  if (!expired_before.empty()) rocksdb_->DeleteFilesBefore(store, expired_before);
  AfterWrite(static_cast<int64_t>(records.size()));
  return Status::Ok();
}

void TaskDatabase::BeginClose() {
  closing_ = true;
  CloseScans();
}

Status TaskDatabase::Close() { return rocksdb_->Close(/*flush=*/true); }

Status TaskDatabase::CloseAsAfterCrash() { return rocksdb_->Close(/*flush=*/false); }

}  // namespace weir
