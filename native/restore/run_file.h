#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "restore/sorted_rows.h"

namespace weir {

// A sorted run on disk: for each row key length (4), row length (4; all bits set: a deletion), key, row. It is
// read only by the process that wrote it, so integers are the machine's, and nothing is synced.
//
// Ownership: removes its file. Threading: one thread.
class RunFile {
 public:
  // Fails with `rocksdb:NoSpace` or `rocksdb:IOError`, as everything here.
  static Result<std::unique_ptr<RunFile>> Create(std::string path, size_t buffer_bytes);

  RunFile(std::string path, int file, size_t buffer_bytes);
  ~RunFile();
  RunFile(const RunFile&) = delete;
  RunFile& operator=(const RunFile&) = delete;

  // REQUIRES: keys ascend strictly; Finish was not called.
  Status Append(std::string_view key, bool deleted, std::string_view row);
  // Writes what is buffered, and frees the buffer.
  Status Finish();
  // REQUIRES: finished; the file outlives its rows.
  std::unique_ptr<SortedRows> Read(size_t buffer_bytes) const;

 private:
  class Rows;

  Status WriteOut();

  const std::string path_;
  const int file_;
  const size_t buffer_bytes_;
  std::vector<char> buffer_;
  uint64_t size_ = 0;  // written to the file
};

}  // namespace weir
