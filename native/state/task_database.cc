#include "state/task_database.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "state/rocksdb_status.h"

namespace weir {

namespace {

constexpr char kEstimateKeys[] = "rocksdb.estimate-num-keys";
constexpr char kOverlayBytes[] = "weir.overlay-bytes";

}  // namespace

Result<std::shared_ptr<TaskDatabase>> TaskDatabase::Open(std::shared_ptr<StateMemory> memory,
                                                         TaskDatabaseOptions options) {
  RocksdbInstance::Options rocksdb_options{options.path, {}, options.rocksdb, options.flush_interval_ms};
  for (const StoreSettings& store : options.stores) {
    for (const RocksdbInstance::Options::Family& other : rocksdb_options.families) {
      if (other.name == kStoreFamilyPrefix + store.name)
        return Status::Invalid("Two stores of one task are named '" + store.name + "'");
    }
    rocksdb_options.families.push_back({kStoreFamilyPrefix + store.name, store.rocksdb});
  }
  rocksdb_options.families.push_back({kOffsetsFamily, {}});
  Result<std::shared_ptr<RocksdbInstance>> rocksdb = RocksdbInstance::Open(*memory, rocksdb_options);
  if (!rocksdb.ok()) return rocksdb.status();
  // Files of restores that a crash has ended. What cannot be removed is overwritten by the next restore.
  std::error_code ignored;
  std::filesystem::remove_all(options.path + kRestoreFolder, ignored);
  auto database =
      std::make_shared<TaskDatabase>(std::move(memory), std::move(options), std::move(rocksdb.value()));
  const Status status = database->ReadOffsets();
  if (!status.ok()) return status;
  return database;
}

TaskDatabase::TaskDatabase(std::shared_ptr<StateMemory> memory, TaskDatabaseOptions options,
                           std::shared_ptr<RocksdbInstance> rocksdb)
    : memory_(std::move(memory)), options_(std::move(options)), rocksdb_(std::move(rocksdb)) {
  for (size_t i = 0; i < options_.stores.size(); i++) {
    const StoreSettings& store = options_.stores[i];
    overlays_.push_back(std::make_unique<Overlay>());
    tables_.push_back(store.in_memory ? std::make_unique<MemoryTable>() : nullptr);
    histories_.push_back(IsVersioned(i)
                             ? std::make_unique<VersionHistory>(*store.segments, *overlays_[i], *rocksdb_, i)
                             : nullptr);
    put_logs_.push_back(IsVersioned(i) && store.changelog_topic.has_value() ? std::make_unique<PutLog>()
                                                                            : nullptr);
  }
  drained_records_.resize(options_.stores.size());
  topic_ids_.resize(options_.stores.size());
  source_offsets_.resize(options_.stores.size(), -1);
  changelog_ends_.resize(options_.stores.size(), -1);
  committed_ends_.resize(options_.stores.size(), -1);
  restoring_.resize(options_.stores.size());
  observed_.resize(options_.stores.size());
  overlay_observed_.resize(options_.stores.size());
  expired_before_.resize(options_.stores.size());
  kept_offsets_.resize(options_.stores.size());
}

TaskDatabase::~TaskDatabase() {
  memory_->AddOverlayBytes(-overlay_bytes_);
  for (const std::unique_ptr<MemoryTable>& table : tables_)
    if (table != nullptr) memory_->AddInMemoryBytes(-static_cast<int64_t>(table->bytes()));
  // Close has told of a failure already, when anybody called it.
  EndSharing();
  const Status ignored = Release(/*flush=*/!is_reader_);
  static_cast<void>(ignored);
}

Status TaskDatabase::ReadOffsets() {
  for (size_t i = 0; i < options_.stores.size(); i++) {
    const std::string& name = options_.stores[i].name;
    std::string value;
    const rocksdb::Status status =
        rocksdb_->db()->Get(rocksdb::ReadOptions(), rocksdb_->family(offsets_family()), name, &value);
    offsets_.push_back(StoreOffset{name, -1, 0, ""});
    if (status.IsNotFound() || options_.stores[i].in_memory) continue;
    if (!status.ok()) return RocksdbStatus(status, "The state database " + options_.path + " cannot be read");
    Result<StoreOffset> offset = DecodeOffset(name, value);
    if (!offset.ok()) return offset.status();
    topic_ids_[i] = offset.value().topic_id;
    offsets_.back() = std::move(offset.value());
  }
  for (size_t i = 0; i < options_.stores.size(); i++) {
    if (!options_.stores[i].segments.has_value() || options_.stores[i].in_memory) continue;
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
  if (status.ok() && is_reader_)
    return Status::Invalid(std::string(what) + " by a reader of " + options_.path);
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
  if (const MemoryTable* const rows = table(store); rows != nullptr) {
    const std::string* const row = rows->Find(key);
    if (row == nullptr) return -1;
    if (!row->empty() && row->size() <= out_size) std::memcpy(out, row->data(), row->size());
    return static_cast<int64_t>(row->size());
  }
  rocksdb::PinnableSlice value;
  const rocksdb::Status found =
      rocksdb_->db()->Get(rocksdb::ReadOptions(), rocksdb_->family(store), key, &value);
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
  status = multi_get->Prepare(*overlays_[store], table(store), arena, columns, count);
  if (!status.ok()) return status;
  return multi_get;
}

Result<int64_t> TaskDatabase::Apply(size_t store, std::string_view arena, RowColumns columns,
                                    const double* timestamps, size_t count) {
  FinishCommit();
  Status status = CheckStore(store);
  if (status.ok()) status = CheckIdle("A change");
  if (!status.ok()) return status;
  if (IsVersioned(store))
    return Status::Invalid("Store " + options_.stores[store].name +
                           " keeps versions: it takes them one by one");
  Overlay& overlay = *overlays_[store];
  const size_t row_min = options_.stores[store].timestamped ? 8 : 0;
  const std::optional<SegmentSettings>& segments = options_.stores[store].segments;
  const auto before = static_cast<int64_t>(overlay.bytes());
  const auto changed_before = static_cast<int64_t>(overlay.changed_bytes());
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
  uncommitted_bytes_ += static_cast<int64_t>(overlay.changed_bytes()) - changed_before;
  memory_->AddOverlayBytes(grown);
  if (!status.ok()) return status;
  return uncommitted_bytes_;
}

Result<std::shared_ptr<MergedScan>> TaskDatabase::NewScan(size_t store, std::optional<std::string_view> from,
                                                          std::optional<std::string_view> to, bool reverse) {
  FinishCommit();
  const Status status = CheckStore(store);
  if (!status.ok()) return status;
  const MemoryTable* const rows = table(store);
  auto scan = std::make_shared<MergedScan>(shared_from_this(), overlays_[store].get(), rocksdb_->db(),
                                           rows == nullptr ? rocksdb_->family(store) : nullptr, rows);
  scans_.insert(scan.get());
  scan->Begin(from, to, reverse);
  return scan;
}

void TaskDatabase::CloseScans() {
  // Each takes itself out of the set.
  while (!scans_.empty()) (*scans_.begin())->Close();
}

Status TaskDatabase::Flush() {
  records_since_flush_.store(0);
  return rocksdb_->Flush();
}

std::vector<int64_t> TaskDatabase::ChangelogEnds() const {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  return committed_ends_;
}

std::vector<int64_t> TaskDatabase::CommittedOffsets() const {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  std::vector<int64_t> committed;
  for (size_t i = 0; i < offsets_.size(); i++) {
    const bool is_kept = kept_offsets_[i].has_value();
    committed.push_back(is_kept ? kept_offsets_[i]->offset : offsets_[i].offset);
  }
  return committed;
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

void TaskDatabase::SetSourceOffset(size_t store, int64_t offset) {
  std::lock_guard<std::mutex> lock(offsets_mutex_);
  source_offsets_[store] = offset;
}

Result<uint64_t> TaskDatabase::Property(const std::string& name) {
  if (name != "weir.overlay-entries") return rocksdb_->Property(name);
  uint64_t entries = 0;
  for (const std::unique_ptr<Overlay>& overlay : overlays_) entries += overlay->changed_count();
  return entries;
}

Result<uint64_t> TaskDatabase::ApproximateEntries(size_t store) {
  FinishCommit();
  const Status status = CheckStore(store);
  if (!status.ok()) return status;
  const Overlay& overlay = *overlays_[store];
  const uint64_t changed = overlay.changed_count();
  if (const MemoryTable* const rows = table(store); rows != nullptr) return rows->size() + changed;
  Result<uint64_t> rows = StoreProperty(store, kEstimateKeys);
  if (!rows.ok()) return rows.status();
  return rows.value() + changed;
}

Result<uint64_t> TaskDatabase::StoreProperty(size_t store, const std::string& name) {
  FinishCommit();
  const Status status = CheckStore(store);
  if (!status.ok()) return status;
  if (name == kOverlayBytes) return overlays_[store]->bytes();
  if (name != kEstimateKeys) return rocksdb_->FamilyProperty(store, name);
  if (const MemoryTable* const rows = table(store); rows != nullptr)
    return static_cast<uint64_t>(rows->size());
  const Result<uint64_t> rows = rocksdb_->FamilyProperty(store, name);
  if (!rows.ok()) return rows.status();
  // RocksDB has most of the kept rows already, in an earlier version.
  const Overlay& overlay = *overlays_[store];
  return std::max<uint64_t>(rows.value(), overlay.rows().size() - overlay.changed_count());
}

void TaskDatabase::BeginClose() {
  FinishCommit();
  closing_ = true;
  CloseScans();
  EndSharing();
}

Status TaskDatabase::Close() {
  const Status written = WriteKept();
  const Status released = Release(/*flush=*/!is_reader_);
  return written.ok() ? released : written;
}

Status TaskDatabase::CloseAsAfterCrash() { return Release(/*flush=*/false); }

Status TaskDatabase::Release(bool flush) {
  return released_.exchange(true) ? Status::Ok() : rocksdb_->Release(flush);
}

}  // namespace weir
