#include "restore/bulk_writer.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace weir {

namespace {

constexpr size_t kBufferMin = 16 * 1024;
constexpr size_t kBufferMax = 256 * 1024;
// A finished file's filter was made of 8 bytes a row, its index of less.
constexpr size_t kFileBytesPerRow = 8;
constexpr size_t kFileRowsMin = 1024;
// Records between the steps of a look-up: see RowTable.
constexpr size_t kAhead = 8;
// With less, runs would be of a few rows.
constexpr size_t kMemoryBytesMin = 64 * 1024;

}  // namespace

Result<std::unique_ptr<RestoreWriter>> BulkWriter::Create(TaskDatabase& database, size_t store,
                                                          size_t memory_bytes) {
  const std::string folder = database.RestoreFolder(store);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return Status(error == std::errc::no_space_on_device ? "rocksdb:NoSpace" : "rocksdb:IOError",
                  "The folder " + folder + " cannot be created: " + error.message());
  }
  Observed observed;
  if (database.options().stores[store].segments.has_value()) {
    const Result<Observed> known = database.ObservedBy(store);
    if (!known.ok()) return known.status();
    observed = known.value();
  }
  return std::unique_ptr<RestoreWriter>(
      std::make_unique<BulkWriter>(database, store, observed, memory_bytes));
}

BulkWriter::BulkWriter(TaskDatabase& database, size_t store, const Observed& observed, size_t memory_bytes)
    : database_(database),
      store_(store),
      memory_bytes_(std::max(memory_bytes, kMemoryBytesMin)),
      folder_(database.RestoreFolder(store)),
      rows_(database.NewChangelogRows(store, observed)) {}

BulkWriter::~BulkWriter() {
  merge_.reset();
  runs_.clear();
  longer_run_.reset();
  files_out_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Status BulkWriter::Write(const std::vector<ChangelogRecord>& records, int64_t) {
  const size_t count = records.size();
  hashes_.resize(count);
  for (size_t i = 0; i < count + 3 * kAhead; i++) {
    if (i < count) {
      // A row's key is the record's, behind a segment that the record's tells.
      hashes_[i] = RowTable::HashOf(records[i].key);
      table_.PrefetchSlot(hashes_[i]);
    }
    if (i >= kAhead && i - kAhead < count) table_.PrefetchEntry(hashes_[i - kAhead]);
    if (i >= 2 * kAhead && i - 2 * kAhead < count) table_.PrefetchKey(hashes_[i - 2 * kAhead]);
    if (i < 3 * kAhead) continue;
    const Status status = Take(records[i - 3 * kAhead], hashes_[i - 3 * kAhead]);
    if (!status.ok()) return status;
  }
  const auto first = std::find_if(runs_.begin(), runs_.end(), [this](const Run& run) {
    return run.generation == runs_.back().generation;
  });
  if (static_cast<size_t>(runs_.end() - first) < kFanIn) return Status::Ok();
  Result<std::unique_ptr<RunFile>> file = NewRunFile();
  if (!file.ok()) return file.status();
  longer_run_ = std::move(file.value());
  StartMerge(static_cast<size_t>(first - runs_.begin()), nullptr);
  return Status::Ok();
}

Status BulkWriter::Take(const ChangelogRecord& record, uint64_t hash) {
  const Status status = rows_.Observe(record);
  if (!status.ok()) return status;
  const RestoredRow row = rows_.RowOf(record);
  if (!rows_.IsLive(row.key)) return Status::Ok();
  table_.Put(row, hash);
  return table_.bytes() < memory_bytes_ / 2 ? Status::Ok() : Spill();
}

Status BulkWriter::Spill() {
  Result<std::unique_ptr<RunFile>> file = NewRunFile();
  if (!file.ok()) return file.status();
  const std::unique_ptr<SortedRows> rows = table_.Sort();
  Status status = rows->Next();
  while (status.ok() && rows->valid()) {
    if (rows_.IsLive(rows->key())) status = file.value()->Append(rows->key(), rows->deleted(), rows->row());
    if (status.ok()) status = rows->Next();
  }
  if (status.ok()) status = file.value()->Finish();
  if (!status.ok()) return status;
  runs_.push_back({std::move(file.value()), 0});
  table_.Clear();
  return Status::Ok();
}

Result<std::unique_ptr<RunFile>> BulkWriter::NewRunFile() {
  return RunFile::Create(folder_ + "/run-" + std::to_string(files_++),
                         std::clamp(memory_bytes_ / 32, kBufferMin, kBufferMax));
}

Status BulkWriter::Finish(int64_t next_offset) {
  next_offset_ = next_offset;
  files_out_ =
      database_.NewRestoredFiles(store_, std::max(memory_bytes_ / 4 / kFileBytesPerRow, kFileRowsMin));
  StartMerge(0, table_.Sort());
  return Status::Ok();
}

void BulkWriter::StartMerge(size_t first, std::unique_ptr<SortedRows> table) {
  const size_t count = runs_.size() - first;
  const size_t buffer = std::clamp(memory_bytes_ / 8 / std::max<size_t>(count, 1), kBufferMin, kBufferMax);
  std::vector<std::unique_ptr<SortedRows>> sources;
  for (size_t i = first; i < runs_.size(); i++) sources.push_back(runs_[i].file->Read(buffer));
  if (table != nullptr) sources.push_back(std::move(table));
  merged_from_ = first;
  merge_ = std::make_unique<RunMerge>(std::move(sources));
}

Status BulkWriter::Work() {
  for (int i = 0; i < kRowsPerSlice; i++) {
    Status status = merge_->Next();
    if (!status.ok()) return status;
    if (!merge_->valid()) return EndMerge();
    if (!rows_.IsLive(merge_->key())) continue;
    if (files_out_ == nullptr) {
      status = longer_run_->Append(merge_->key(), merge_->deleted(), merge_->row());
    } else if (!merge_->deleted()) {
      // The store was empty: nothing is left to delete.
      status = files_out_->Put(merge_->key(), merge_->row());
    }
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

Status BulkWriter::EndMerge() {
  merge_.reset();
  if (files_out_ != nullptr) {
    runs_.clear();
    table_.Clear();
    Status status = files_out_->Finish();
    if (!status.ok()) return status;
    return database_.IngestRestored(store_, *files_out_, rows_.observed(), next_offset_);
  }
  Status status = longer_run_->Finish();
  if (!status.ok()) return status;
  const int generation = runs_.back().generation + 1;
  runs_.erase(runs_.begin() + static_cast<ptrdiff_t>(merged_from_), runs_.end());
  runs_.push_back({std::move(longer_run_), generation});
  return Status::Ok();
}

}  // namespace weir
