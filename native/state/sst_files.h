#pragma once

#include <rocksdb/sst_file_writer.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "state/rocksdb_instance.h"

namespace weir {

// Rows of one family, written in ascending order into files that do not overlap, for RocksDB to take in as they
// are: with the family's compression, blocks and filter.
//
// Ownership: the files, until they were ingested. Threading: one native thread.
class SstFiles {
 public:
  // Files are named `prefix` and a number, on the database's file system. A file ends at the family's target
  // size, or at `rows_max` rows: a file's filter takes 8 bytes of memory for each row until it is finished.
  SstFiles(std::shared_ptr<RocksdbInstance> rocksdb, size_t family, std::string prefix, size_t rows_max);
  ~SstFiles();
  SstFiles(const SstFiles&) = delete;
  SstFiles& operator=(const SstFiles&) = delete;

  // REQUIRES: keys ascend strictly.
  Status Put(std::string_view key, std::string_view row);
  // No row comes any more.
  Status Finish();

  size_t family() const { return family_; }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  Status OpenFile();

  const std::shared_ptr<RocksdbInstance> rocksdb_;
  const size_t family_;
  const std::string prefix_;
  const size_t rows_max_;
  std::vector<std::string> paths_;
  std::unique_ptr<rocksdb::SstFileWriter> file_;  // the last of paths_; null when it is complete
  size_t file_rows_ = 0;
  uint64_t file_bytes_max_ = 0;
};

}  // namespace weir
