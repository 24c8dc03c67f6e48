#include "state/rocksdb_instance.h"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <system_error>

#include "state/rocksdb_status.h"

namespace weir {

namespace {

// Between half of the interval and all of it: databases that were opened together are not flushed together.
int64_t Stagger(int64_t interval_ms) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return interval_ms / 2 + std::uniform_int_distribution<int64_t>(0, interval_ms / 2)(random);
}

// What a batch will take in memtables: its bytes, a skip-list node for each entry, and a new arena block in
// each family.
size_t MemtableBytes(const rocksdb::WriteBatch& batch, size_t families) {
  return batch.GetDataSize() + static_cast<size_t>(batch.Count()) * 48 + families * 64 * 1024;
}

std::string OpenContext(const std::string& path) {
  return "The state database " + path + " cannot be opened";
}

// A folder with rows and without the file that says which are the database's. RocksDB would begin an empty one.
bool LostItsCurrentFile(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path + "/CURRENT", error)) return false;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    if (entry.path().extension() == ".sst") return true;
  }
  return false;
}

// RocksDB calls a file that is gone an I/O error. Nothing brings it back: the database is damaged.
Status OpenFailure(const rocksdb::Status& status, const std::string& context) {
  const bool missing = status.IsPathNotFound() ||
                       (status.IsIOError() && status.ToString().find("No such file") != std::string::npos);
  if (!missing) return RocksdbStatus(status, context);
  return Status("rocksdb:Corruption", context + ": " + status.ToString());
}

}  // namespace

// Runs on RocksDB's threads.
class RocksdbInstance::Listener final : public rocksdb::EventListener {
 public:
  Listener(FlushArbiter* arbiter, RocksdbJobs* jobs) : arbiter_(arbiter), jobs_(jobs) {}

  // An atomic flush begins and ends once for each family.
  void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override {
    std::lock_guard<std::mutex> lock(mutex_);
    flush_begins_.emplace(info.job_id, std::chrono::steady_clock::now());
  }

  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override {
    arbiter_->OnFlushCompleted();
    std::error_code gone;  // compacted away already
    const auto bytes = std::filesystem::file_size(info.file_path, gone);
    if (!gone) jobs_->flush_bytes_written += static_cast<int64_t>(bytes);
    std::lock_guard<std::mutex> lock(mutex_);
    const auto begun = flush_begins_.find(info.job_id);
    if (begun == flush_begins_.end()) return;
    const auto time = std::chrono::steady_clock::now() - begun->second;
    jobs_->flushes++;
    jobs_->flush_micros += std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    flush_begins_.erase(begun);
  }

  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& info) override {
    jobs_->compactions++;
    jobs_->compaction_micros += static_cast<int64_t>(info.stats.elapsed_micros);
    jobs_->compaction_bytes_read += static_cast<int64_t>(info.stats.total_input_bytes);
    jobs_->compaction_bytes_written += static_cast<int64_t>(info.stats.total_output_bytes);
  }

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    jobs_->background_errors++;
    std::lock_guard<std::mutex> lock(mutex_);
    // Flushes that failed do not complete.
    flush_begins_.clear();
    if (error_.ok()) error_ = *status;
    failed_.store(true, std::memory_order_release);
  }

  rocksdb::Status error() {
    if (!failed_.load(std::memory_order_acquire)) return rocksdb::Status::OK();
    std::lock_guard<std::mutex> lock(mutex_);
    return error_;
  }

 private:
  // StateMemory's, which outlives the open database.
  FlushArbiter* const arbiter_;
  RocksdbJobs* const jobs_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  rocksdb::Status error_;                                              // guarded by mutex_
  std::map<int, std::chrono::steady_clock::time_point> flush_begins_;  // guarded by mutex_; by job
};

Result<std::shared_ptr<RocksdbInstance>> RocksdbInstance::Open(StateMemory& memory, const Options& options) {
  auto instance = std::make_shared<RocksdbInstance>(memory, options);
  const Status status = instance->OpenDatabase(memory);
  if (!status.ok()) return status;
  memory.arbiter().Add(instance);
  return instance;
}

RocksdbInstance::RocksdbInstance(StateMemory& memory, const Options& options)
    : options_(options),
      arbiter_(&memory.arbiter()),
      listener_(std::make_shared<Listener>(arbiter_, &memory.jobs())) {}

RocksdbInstance::~RocksdbInstance() {
  // Whoever opened it has closed it; a failure here has nobody to tell.
  const Status ignored = CloseLocked(/*flush=*/true);
  static_cast<void>(ignored);
}

Status RocksdbInstance::OpenDatabase(StateMemory& memory) {
  std::error_code error;
  std::filesystem::create_directories(options_.path, error);
  if (error) {
    return Status(error == std::errc::no_space_on_device ? "rocksdb:NoSpace" : "rocksdb:IOError",
                  "The state folder " + options_.path + " cannot be created: " + error.message());
  }
  const std::string context = OpenContext(options_.path);
  if (LostItsCurrentFile(options_.path)) {
    return Status("rocksdb:Corruption", context + ": it has files of rows and no CURRENT file");
  }
  Result<rocksdb::DBOptions> database_options = DatabaseOptionsFor(memory, options_.settings);
  if (!database_options.ok()) return database_options.status();
  database_options.value().listeners.push_back(listener_);
  const Status described = DescribeFamilies(memory, database_options.value());
  if (!described.ok()) return described;

  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(database_options.value(), options_.path, descriptors_, &handles_, &db);
  if (!status.ok()) {
    // RocksDB reports its LOCK file as a plain IOError; somebody else's hold of it passes when that one ends.
    if (status.IsIOError() && status.ToString().find("lock") != std::string::npos) {
      return Status("rocksdb:Busy",
                    "The state folder " + options_.path +
                        " is in use by another process or thread: " + status.ToString(),
                    true);
    }
    return OpenFailure(status, context);
  }
  db_.reset(db);
  for (const std::shared_ptr<TombstoneLimit>& limit : tombstone_limits_) limit->SetDatabase(db);
  return Status::Ok();
}

Status RocksdbInstance::DescribeFamilies(StateMemory& memory, const rocksdb::DBOptions& database_options) {
  std::vector<Options::Family> families = options_.families;
  const auto add = [&families](const std::string& name) {
    const auto found = std::find_if(families.begin(), families.end(),
                                    [&name](const Options::Family& family) { return family.name == name; });
    if (found == families.end()) families.push_back({name, {}});
  };
  add(rocksdb::kDefaultColumnFamilyName);
  std::error_code error;
  if (std::filesystem::exists(options_.path + "/CURRENT", error)) {
    std::vector<std::string> existing;
    const rocksdb::Status listed =
        rocksdb::DB::ListColumnFamilies(database_options, options_.path, &existing);
    if (!listed.ok()) return OpenFailure(listed, OpenContext(options_.path));
    for (const std::string& name : existing) add(name);
  }
  for (const Options::Family& family : families) {
    Result<rocksdb::ColumnFamilyOptions> options =
        FamilyOptionsFor(memory, options_.settings, family.settings);
    if (!options.ok()) return options.status();
    tombstone_limits_.push_back(std::make_shared<TombstoneLimit>(family.name));
    options.value().table_properties_collector_factories.push_back(tombstone_limits_.back());
    descriptors_.emplace_back(family.name, std::move(options.value()));
  }
  return Status::Ok();
}

Status RocksdbInstance::Write(rocksdb::WriteBatch* batch) {
  const Pin pin = PinOpen();
  if (!is_open()) return Status::Closed("The state database " + options_.path);
  const Status failed = Failure(listener_->error(), "had a background error");
  if (!failed.ok()) return failed;

  const size_t bytes = MemtableBytes(*batch, handles_.size());
  arbiter_->Admit(bytes);
  rocksdb::WriteOptions write_options;
  write_options.disableWAL = true;
  const rocksdb::Status status = db_->Write(write_options, batch);
  last_write_.store(arbiter_->RecordWrite(bytes), std::memory_order_relaxed);
  if (!unflushed_.exchange(true)) {
    flush_due_ms_.store(MonotonicMs() + Stagger(options_.flush_interval_ms), std::memory_order_relaxed);
  }
  return Failure(status, "cannot be written");
}

Status RocksdbInstance::Flush() {
  const Pin pin = PinOpen();
  if (!is_open()) return Status::Closed("The state database " + options_.path);
  return FlushLocked(/*wait=*/true);
}

Status RocksdbInstance::FlushLocked(bool wait) {
  // Set first: a write that comes while the memtables are being switched sets it again.
  unflushed_.store(false);
  rocksdb::FlushOptions flush_options;
  flush_options.wait = wait;
  flush_options.allow_write_stall = true;
  return Failure(db_->Flush(flush_options, handles_), "cannot be flushed");
}

void RocksdbInstance::RequestFlush() {
  const Pin pin = PinOpen();
  if (!is_open()) return;
  // A failure is a background error by then, and fails the next write.
  const Status ignored = FlushLocked(/*wait=*/false);
  static_cast<void>(ignored);
}

Status RocksdbInstance::Ingest(const std::vector<FamilyFiles>& files) {
  const Pin pin = PinOpen();
  if (!is_open()) return Status::Closed("The state database " + options_.path);
  const Status failed = Failure(listener_->error(), "had a background error");
  if (!failed.ok()) return failed;
  std::vector<rocksdb::IngestExternalFileArg> arguments;
  for (const FamilyFiles& each : files) {
    rocksdb::IngestExternalFileArg& argument = arguments.emplace_back();
    argument.column_family = family(each.family);
    argument.external_files = each.paths;
    argument.options.move_files = true;
  }
  return Failure(db_->IngestExternalFiles(arguments), "cannot take in restored rows");
}

Status RocksdbInstance::RecreateFamily(size_t index) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  if (!is_open()) return Status::Closed("The state database " + options_.path);
  const rocksdb::ColumnFamilyDescriptor& descriptor = descriptors_[index];
  rocksdb::Status status = db_->DropColumnFamily(handles_[index]);
  if (!status.ok()) return Failure(status, "cannot drop a family");
  rocksdb::ColumnFamilyHandle* fresh = nullptr;
  status = db_->CreateColumnFamily(descriptor.options, descriptor.name, &fresh);
  if (!status.ok()) return Failure(status, "cannot create a family");
  db_->DestroyColumnFamilyHandle(handles_[index]);
  handles_[index] = fresh;
  return Status::Ok();
}

void RocksdbInstance::DeleteFilesBefore(size_t family, const std::string& key) {
  const Pin pin = PinOpen();
  if (!is_open()) return;
  const rocksdb::Slice end(key);
  // What it leaves, a compaction removes.
  const rocksdb::Status ignored =
      rocksdb::DeleteFilesInRange(db_.get(), handles_[family], nullptr, &end, /*include_end=*/false);
  static_cast<void>(ignored);
}

Result<uint64_t> RocksdbInstance::Property(const std::string& name) const {
  const Pin pin = PinOpen();
  if (!is_open()) return Status::Closed("The state database " + options_.path);
  uint64_t value = 0;
  if (!db_->GetAggregatedIntProperty(name, &value))
    return Status::Invalid("RocksDB has no integer property " + name);
  return value;
}

Result<uint64_t> RocksdbInstance::FamilyProperty(size_t family, const std::string& name) const {
  const Pin pin = PinOpen();
  if (!is_open()) return Status::Closed("The state database " + options_.path);
  uint64_t value = 0;
  if (!db_->GetIntProperty(handles_[family], name, &value))
    return Status::Invalid("RocksDB has no integer property " + name);
  return value;
}

bool RocksdbInstance::AddOwner() {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  if (!is_open()) return false;
  owners_++;
  return true;
}

Status RocksdbInstance::Release(bool flush) {
  std::unique_lock<std::shared_mutex> lock(mutex_);
  if (--owners_ == 0) return CloseLocked(flush);
  return flush ? FlushLocked(/*wait=*/true) : Status::Ok();
}

Status RocksdbInstance::CloseLocked(bool flush) {
  if (!is_open()) return Status::Ok();
  Status result = flush ? FlushLocked(/*wait=*/true) : Status::Ok();
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    const rocksdb::Status destroyed = db_->DestroyColumnFamilyHandle(handle);
    if (result.ok()) result = Failure(destroyed, "cannot be closed");
  }
  handles_.clear();
  const rocksdb::Status closed = db_->Close();
  for (const std::shared_ptr<TombstoneLimit>& limit : tombstone_limits_) limit->SetDatabase(nullptr);
  if (result.ok()) result = Failure(closed, "cannot be closed");
  db_.reset();
  unflushed_.store(false);
  return result;
}

size_t RocksdbInstance::ActiveMemtableBytes() {
  if (!unflushed_.load()) return 0;
  const Pin pin = PinOpen();
  uint64_t bytes = 0;
  if (!is_open() || !db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeActiveMemTable, &bytes))
    return 0;
  return bytes;
}

int64_t RocksdbInstance::FlushDueMs() const {
  return unflushed_.load() ? flush_due_ms_.load(std::memory_order_relaxed)
                           : std::numeric_limits<int64_t>::max();
}

Status RocksdbInstance::Failure(const rocksdb::Status& status, const char* what) const {
  return RocksdbStatus(status, "The state database " + options_.path + " " + what);
}

}  // namespace weir
