#include "state/inspection.h"

#include <fcntl.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "state/rocksdb_status.h"

namespace weir {

namespace {

constexpr int kOpenFilesMax = 256;

// RocksDB would write its log into the folder.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// The process that has RocksDB's lock of this folder; 0 for none. Asks without taking the lock.
pid_t LockHolder(const std::string& path) {
  const int file = open((path + "/LOCK").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool asked = fcntl(file, F_GETLK, &lock) == 0;
  close(file);
  return asked && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

// An open database, and what its families are called.
struct Opened {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;

  ~Opened() {
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      const rocksdb::Status ignored = db->DestroyColumnFamilyHandle(handle);
      static_cast<void>(ignored);
    }
  }
};

class Inspector {
 public:
  Inspector(std::string path, bool count) : path_(std::move(path)), count_(count) {
    read_options_.fill_cache = false;
  }

  Result<std::vector<StoreInspection>> Run() {
    Status status = Open();
    if (!status.ok()) return status;
    std::vector<StoreInspection> stores;
    std::map<std::string, std::string> offsets;
    for (rocksdb::ColumnFamilyHandle* const family : opened_.handles) {
      if (family->GetName() != kOffsetsFamily) continue;
      const std::unique_ptr<rocksdb::Iterator> rows(opened_.db->NewIterator(read_options_, family));
      for (rows->SeekToFirst(); rows->Valid(); rows->Next())
        offsets[rows->key().ToString()] = rows->value().ToString();
      if (!rows->status().ok()) return Failure(rows->status());
    }
    constexpr size_t prefix = sizeof(kStoreFamilyPrefix) - 1;
    for (rocksdb::ColumnFamilyHandle* const family : opened_.handles) {
      if (family->GetName().compare(0, prefix, kStoreFamilyPrefix) != 0) continue;
      StoreInspection store;
      store.name = family->GetName().substr(prefix);
      status = ReadOffsets(offsets, &store);
      if (status.ok()) status = Measure(family, &store);
      if (!status.ok()) return status;
      stores.push_back(std::move(store));
    }
    return stores;
  }

 private:
  Status Open() {
    if (const pid_t holder = LockHolder(path_); holder != 0) {
      return Status("rocksdb:Busy",
                    "The state database " + path_ + " is in use by process " + std::to_string(holder));
    }
    rocksdb::DBOptions options;
    options.info_log = std::make_shared<SilentLogger>();
    options.max_open_files = kOpenFilesMax;
    std::vector<std::string> names;
    rocksdb::Status status = rocksdb::DB::ListColumnFamilies(options, path_, &names);
    if (!status.ok()) return Failure(status);
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    rocksdb::DB* db = nullptr;
    status = rocksdb::DB::OpenForReadOnly(options, path_, families, &opened_.handles, &db);
    if (!status.ok()) return Failure(status);
    opened_.db.reset(db);
    return Status::Ok();
  }

  Status ReadOffsets(const std::map<std::string, std::string>& offsets, StoreInspection* store) const {
    if (const auto row = offsets.find(store->name); row != offsets.end()) {
      Result<StoreOffset> offset = DecodeOffset(store->name, row->second);
      if (!offset.ok()) return offset.status();
      store->offset = std::move(offset.value());
    }
    if (const auto row = offsets.find(ObservedKey(store->name)); row != offsets.end()) {
      const Result<SeenRow> seen = DecodeSeen(store->name, row->second);
      if (!seen.ok()) return seen.status();
      store->observed = seen.value().observed;
      store->segment_interval_ms = seen.value().interval_ms;
    }
    return Status::Ok();
  }

  Status Measure(rocksdb::ColumnFamilyHandle* family, StoreInspection* store) const {
    std::vector<rocksdb::LiveFileMetaData> files;
    opened_.db->GetLiveFilesMetaData(&files);
    for (const rocksdb::LiveFileMetaData& file : files) {
      if (file.column_family_name != family->GetName()) continue;
      store->files++;
      store->bytes += file.size;
    }
    const std::unique_ptr<rocksdb::Iterator> rows(opened_.db->NewIterator(read_options_, family));
    rows->SeekToLast();
    if (rows->Valid()) store->last_key = rows->key().ToString();
    if (rows->status().ok()) rows->SeekToFirst();
    if (rows->Valid()) store->first_key = rows->key().ToString();
    if (!rows->status().ok()) return Failure(rows->status());
    if (store->observed.has_value()) {
      const Status status = MeasureSegments(family, *rows, store);
      if (!status.ok()) return status;
    }
    if (!count_) {
      opened_.db->GetIntProperty(family, rocksdb::DB::Properties::kEstimateNumKeys, &store->keys);
      return Status::Ok();
    }
    if (store->observed.has_value()) {
      for (const SegmentInspection& segment : store->segments) store->keys += segment.keys.value_or(0);
      return Status::Ok();
    }
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) store->keys++;
    return rows->status().ok() ? Status::Ok() : Failure(rows->status());
  }

  // REQUIRES: `rows` at the first row.
  Status MeasureSegments(rocksdb::ColumnFamilyHandle* family, rocksdb::Iterator& rows,
                         StoreInspection* store) const {
    while (rows.Valid()) {
      if (rows.key().size() < SegmentSettings::kPrefixBytes)
        return Failure(rocksdb::Status::Corruption("a key of store " + store->name + " has no segment"));
      const int64_t number = GetInt64(rows.key().data());
      SegmentInspection segment{number, 0, std::nullopt};
      const std::string begin = SegmentPrefix(number);
      // The latest rows are the last.
      const std::string end = number == -1 ? std::string(64, '\xff') : SegmentPrefix(number + 1);
      const rocksdb::Range range(begin, end);
      rocksdb::SizeApproximationOptions approximation;
      approximation.files_size_error_margin = 0;
      const rocksdb::Status sized =
          opened_.db->GetApproximateSizes(approximation, family, &range, 1, &segment.bytes);
      if (!sized.ok()) return Failure(sized);
      if (count_) {
        uint64_t keys = 0;
        for (; rows.Valid() && rows.key().starts_with(begin); rows.Next()) keys++;
        segment.keys = keys;
      } else if (number == -1) {
        rows.SeekToLast();
        if (rows.Valid()) rows.Next();
      } else {
        rows.Seek(end);
      }
      store->segments.push_back(segment);
    }
    return rows.status().ok() ? Status::Ok() : Failure(rows.status());
  }

  Status Failure(const rocksdb::Status& status) const {
    return RocksdbStatus(status, "The state database " + path_ + " cannot be read");
  }

  const std::string path_;
  const bool count_;
  rocksdb::ReadOptions read_options_;
  Opened opened_;
};

}  // namespace

Result<std::vector<StoreInspection>> InspectDatabase(const std::string& path, bool count) {
  return Inspector(path, count).Run();
}

}  // namespace weir
