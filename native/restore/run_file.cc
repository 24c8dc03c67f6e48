#include "restore/run_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace weir {

namespace {

constexpr uint32_t kDeleted = UINT32_MAX;

struct Header {
  uint32_t key_length;
  uint32_t row_length;
};

Status FileStatus(int error, const std::string& path, const char* what) {
  return Status(error == ENOSPC || error == EDQUOT ? "rocksdb:NoSpace" : "rocksdb:IOError",
                "The file " + path + " " + what + ": " + std::generic_category().message(error));
}

}  // namespace

// A window on the file that always holds the whole present row.
class RunFile::Rows final : public SortedRows {
 public:
  Rows(const RunFile& run, size_t buffer_bytes) : run_(run), buffer_(std::max<size_t>(buffer_bytes, 4096)) {}

  Status Next() override {
    begin_ += row_bytes_;
    row_bytes_ = 0;
    if (begin_ == end_ && read_ == run_.size_) return Status::Ok();
    Status status = Ensure(sizeof(header_));
    if (!status.ok()) return status;
    std::memcpy(&header_, &buffer_[begin_], sizeof(header_));
    const size_t row = header_.row_length == kDeleted ? 0 : header_.row_length;
    const size_t wanted = sizeof(header_) + header_.key_length + row;
    status = Ensure(wanted);
    if (status.ok()) row_bytes_ = wanted;
    return status;
  }
  bool valid() const override { return row_bytes_ > 0; }
  std::string_view key() const override { return {&buffer_[begin_ + sizeof(header_)], header_.key_length}; }
  bool deleted() const override { return header_.row_length == kDeleted; }
  std::string_view row() const override {
    if (deleted()) return {};
    return {buffer_.data() + begin_ + sizeof(header_) + header_.key_length, header_.row_length};
  }

 private:
  // So many bytes from begin_ on are in the buffer.
  Status Ensure(size_t wanted) {
    if (end_ - begin_ >= wanted) return Status::Ok();
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (wanted > buffer_.size()) buffer_.resize(wanted);
    while (end_ < wanted) {
      const ssize_t count =
          pread(run_.file_, &buffer_[end_], buffer_.size() - end_, static_cast<off_t>(read_));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return FileStatus(errno, run_.path_, "cannot be read");
      if (count == 0) return FileStatus(EIO, run_.path_, "has become shorter");
      end_ += static_cast<size_t>(count);
      read_ += static_cast<uint64_t>(count);
    }
    return Status::Ok();
  }

  const RunFile& run_;
  std::vector<char> buffer_;
  size_t begin_ = 0;      // of the present row
  size_t end_ = 0;        // of what was read
  size_t row_bytes_ = 0;  // 0: no row
  uint64_t read_ = 0;     // of the file
  Header header_{};
};

Result<std::unique_ptr<RunFile>> RunFile::Create(std::string path, size_t buffer_bytes) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return FileStatus(errno, path, "cannot be created");
  return std::make_unique<RunFile>(std::move(path), file, buffer_bytes);
}

RunFile::RunFile(std::string path, int file, size_t buffer_bytes)
    : path_(std::move(path)), file_(file), buffer_bytes_(buffer_bytes) {}

RunFile::~RunFile() {
  close(file_);
  unlink(path_.c_str());
}

Status RunFile::Append(std::string_view key, bool deleted, std::string_view row) {
  const Header header{static_cast<uint32_t>(key.size()),
                      deleted ? kDeleted : static_cast<uint32_t>(row.size())};
  const char* const bytes = reinterpret_cast<const char*>(&header);
  buffer_.insert(buffer_.end(), bytes, bytes + sizeof(header));
  buffer_.insert(buffer_.end(), key.begin(), key.end());
  if (!deleted) buffer_.insert(buffer_.end(), row.begin(), row.end());
  return buffer_.size() < buffer_bytes_ ? Status::Ok() : WriteOut();
}

Status RunFile::Finish() {
  const Status status = WriteOut();
  buffer_ = {};
  return status;
}

Status RunFile::WriteOut() {
  size_t written = 0;
  while (written < buffer_.size()) {
    const ssize_t count =
        pwrite(file_, &buffer_[written], buffer_.size() - written, static_cast<off_t>(size_));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileStatus(errno, path_, "cannot be written");
    written += static_cast<size_t>(count);
    size_ += static_cast<uint64_t>(count);
  }
  buffer_.clear();
  return Status::Ok();
}

std::unique_ptr<SortedRows> RunFile::Read(size_t buffer_bytes) const {
  return std::make_unique<Rows>(*this, buffer_bytes);
}

}  // namespace weir
