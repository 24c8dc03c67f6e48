#include "state/sst_files.h"

#include <filesystem>
#include <system_error>

#include "state/rocksdb_status.h"

namespace weir {

SstFiles::SstFiles(std::shared_ptr<RocksdbInstance> rocksdb, size_t family, std::string prefix,
                   size_t rows_max)
    : rocksdb_(std::move(rocksdb)), family_(family), prefix_(std::move(prefix)), rows_max_(rows_max) {}

SstFiles::~SstFiles() {
  file_.reset();
  // Those that were ingested are gone.
  std::error_code ignored;
  for (const std::string& path : paths_) std::filesystem::remove(path, ignored);
}

Status SstFiles::OpenFile() {
  const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
  if (!rocksdb_->is_open()) return Status::Closed("The state database " + rocksdb_->path());
  rocksdb::ColumnFamilyHandle* const family = rocksdb_->family(family_);
  const rocksdb::Options options = rocksdb_->db()->GetOptions(family);
  file_bytes_max_ = options.target_file_size_base;
  file_rows_ = 0;
  // What is restored is read soon: its pages stay in the kernel's cache.
  file_ = std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(options), options, family,
                                                   /*invalidate_page_cache=*/false);
  paths_.push_back(prefix_ + std::to_string(paths_.size()) + ".sst");
  return RocksdbStatus(file_->Open(paths_.back()), "The file " + paths_.back() + " cannot be created");
}

Status SstFiles::Put(std::string_view key, std::string_view row) {
  if (file_ == nullptr) {
    Status opened = OpenFile();
    if (!opened.ok()) return opened;
  }
  const rocksdb::Status put =
      file_->Put(rocksdb::Slice(key.data(), key.size()), rocksdb::Slice(row.data(), row.size()));
  if (!put.ok()) return RocksdbStatus(put, "The file " + paths_.back() + " cannot be written");
  if (++file_rows_ < rows_max_ && file_->FileSize() < file_bytes_max_) return Status::Ok();
  return Finish();
}

Status SstFiles::Finish() {
  if (file_ == nullptr) return Status::Ok();
  const rocksdb::Status finished = file_->Finish();
  file_.reset();
  return RocksdbStatus(finished, "The file " + paths_.back() + " cannot be written");
}

}  // namespace weir
