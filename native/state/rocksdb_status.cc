#include "state/rocksdb_status.h"

namespace weir {

namespace {

const char* CodeName(const rocksdb::Status& status) {
  if (status.IsNoSpace()) return "NoSpace";
  switch (status.code()) {
    case rocksdb::Status::kNotFound:
      return "NotFound";
    case rocksdb::Status::kCorruption:
      return "Corruption";
    case rocksdb::Status::kNotSupported:
      return "NotSupported";
    case rocksdb::Status::kInvalidArgument:
      return "InvalidArgument";
    case rocksdb::Status::kIOError:
      return "IOError";
    case rocksdb::Status::kMergeInProgress:
      return "MergeInProgress";
    case rocksdb::Status::kIncomplete:
      return "Incomplete";
    case rocksdb::Status::kShutdownInProgress:
      return "ShutdownInProgress";
    case rocksdb::Status::kTimedOut:
      return "TimedOut";
    case rocksdb::Status::kAborted:
      return "Aborted";
    case rocksdb::Status::kBusy:
      return "Busy";
    case rocksdb::Status::kExpired:
      return "Expired";
    case rocksdb::Status::kTryAgain:
      return "TryAgain";
    case rocksdb::Status::kCompactionTooLarge:
      return "CompactionTooLarge";
    case rocksdb::Status::kColumnFamilyDropped:
      return "ColumnFamilyDropped";
    default:
      return "Unknown";
  }
}

}  // namespace

Status RocksdbStatus(const rocksdb::Status& status, const std::string& context) {
  if (status.ok()) return Status::Ok();
  const bool retriable = status.IsBusy() || status.IsTryAgain() || status.IsTimedOut();
  return Status(std::string("rocksdb:") + CodeName(status), context + ": " + status.ToString(), retriable);
}

}  // namespace weir
