#include "state/tombstone_limit.h"

#include <rocksdb/metadata.h>

#include <vector>

namespace weir {

// Of one file that is being built; RocksDB's thread that builds it has it.
class TombstoneLimit::Collector final : public rocksdb::TablePropertiesCollector {
 public:
  explicit Collector(const TombstoneLimit& limit) : limit_(limit) {}

  rocksdb::Status AddUserKey(const rocksdb::Slice&, const rocksdb::Slice&, rocksdb::EntryType type,
                             rocksdb::SequenceNumber, uint64_t) override {
    if (type == rocksdb::kEntryDelete || type == rocksdb::kEntrySingleDelete) deletions_++;
    return rocksdb::Status::OK();
  }
  rocksdb::Status Finish(rocksdb::UserCollectedProperties*) override { return rocksdb::Status::OK(); }
  rocksdb::UserCollectedProperties GetReadableProperties() const override { return {}; }
  const char* Name() const override { return "weir.TombstoneLimit"; }
  bool NeedCompact() const override { return limit_.IsReached(deletions_); }

 private:
  const TombstoneLimit& limit_;
  uint64_t deletions_ = 0;
};

rocksdb::TablePropertiesCollector* TombstoneLimit::CreateTablePropertiesCollector(Context context) {
  return context.level_at_creation == 0 ? new Collector(*this) : nullptr;
}

bool TombstoneLimit::IsReached(uint64_t deletions) const {
  rocksdb::DB* const db = db_.load(std::memory_order_acquire);
  if (db == nullptr || deletions == 0) return false;
  std::vector<rocksdb::LiveFileMetaData> files;
  db->GetLiveFilesMetaData(&files);
  uint64_t rows_below = 0;
  for (const rocksdb::LiveFileMetaData& file : files) {
    if (file.column_family_name != family_) continue;
    if (file.level == 0) {
      if (!file.being_compacted) deletions += file.num_deletions;
      continue;
    }
    const bool is_counted = file.num_entries > 0;
    rows_below += is_counted ? file.num_entries - file.num_deletions : file.size / kRowBytes;
  }
  return deletions >= kDeletionsMin && deletions >= rows_below / 2;
}

}  // namespace weir
