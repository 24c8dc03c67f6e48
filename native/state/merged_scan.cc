#include "state/merged_scan.h"

#include <rocksdb/slice.h>

#include <cstring>
#include <iterator>

#include "state/rocksdb_status.h"
#include "state/task_database.h"

namespace weir {

namespace {

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace

MergedScan::MergedScan(std::shared_ptr<TaskDatabase> database, const Overlay* overlay,
                       std::optional<std::string> from, std::optional<std::string> to, bool reverse)
    : database_(std::move(database)),
      overlay_(overlay),
      from_(std::move(from)),
      to_(std::move(to)),
      reverse_(reverse),
      overlay_position_(overlay->rows().begin()),
      overlay_stop_(overlay_position_) {}

void MergedScan::Open(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family) {
  rocksdb::ReadOptions options;
  if (from_.has_value()) {
    lower_ = *from_;
    options.iterate_lower_bound = &lower_;
  }
  if (to_.has_value()) {
    upper_ = *to_;
    options.iterate_upper_bound = &upper_;
  }
  rocksdb_.reset(db->NewIterator(options, family));
  SeekToStart();
}

void MergedScan::Open(const MemoryTable& table) {
  rocksdb_ = table.NewIterator(from_, to_);
  SeekToStart();
}

void MergedScan::SeekToStart() {
  if (reverse_) {
    rocksdb_->SeekToLast();
  } else {
    rocksdb_->SeekToFirst();
  }
}

void MergedScan::Close() {
  if (database_ == nullptr) return;
  rocksdb_.reset();
  // May end the database: nothing of this object is used after it.
  const std::shared_ptr<TaskDatabase> database = std::move(database_);
  database->ForgetScan(this);
}

Result<int64_t> MergedScan::Next(char* out, size_t out_size, RowColumns columns, size_t capacity) {
  if (database_ != nullptr) database_->FinishCommit();
  if (database_ == nullptr) return Status::Closed("The scan");
  SeekOverlay();
  size_t rows = 0;
  size_t used = 0;
  int64_t too_long = 0;
  // The last key returned, in `out`. A deleted key counts as not reached: a change may bring it back before a
  // row behind it is returned.
  std::optional<std::string_view> returned;
  const OverlayTree::Entry* changed = OverlayHead();
  bool in_rocksdb = rocksdb_->Valid();
  while (rows < capacity && (changed != nullptr || in_rocksdb)) {
    const int order = Order(changed, in_rocksdb);
    const bool deleted = order <= 0 && changed->row.deleted;
    if (!deleted) {
      const std::string_view key = order <= 0 ? changed->key.bytes : View(rocksdb_->key());
      const std::string_view value = order <= 0 ? changed->row.value() : View(rocksdb_->value());
      const size_t needed = key.size() + value.size();
      if (needed > out_size - used) {
        if (rows == 0) too_long = static_cast<int64_t>(needed);
        break;
      }
      columns.key_start[rows] = static_cast<int32_t>(used);
      columns.key_length[rows] = static_cast<int32_t>(key.size());
      columns.value_start[rows] = static_cast<int32_t>(used + key.size());
      columns.value_length[rows] = static_cast<int32_t>(value.size());
      returned = std::string_view(out + used, key.size());
      if (!key.empty()) std::memcpy(out + used, key.data(), key.size());
      used += key.size();
      if (!value.empty()) std::memcpy(out + used, value.data(), value.size());
      used += value.size();
      rows++;
    }
    if (order <= 0) {
      AdvanceOverlay();
      changed = OverlayHead();
    }
    if (order >= 0) {
      AdvanceRocksdb();
      in_rocksdb = rocksdb_->Valid();
    }
  }
  if (returned.has_value()) last_key_ = *returned;
  const Status status =
      RocksdbStatus(rocksdb_->status(), "A scan of the state database " + database_->path() + " failed");
  if (!status.ok()) return status;
  at_end_ = changed == nullptr && !in_rocksdb;
  return too_long > 0 ? -too_long : static_cast<int64_t>(rows);
}

void MergedScan::SeekOverlay() {
  const OverlayTree& rows = overlay_->rows();
  const auto lower = [&] { return from_.has_value() ? rows.LowerBound(OverlayKey(*from_)) : rows.begin(); };
  const auto upper = [&] { return to_.has_value() ? rows.LowerBound(OverlayKey(*to_)) : rows.end(); };
  overlay_stop_ = reverse_ ? lower() : upper();
  if (from_.has_value() && to_.has_value() && *to_ <= *from_) {
    overlay_position_ = overlay_stop_;
  } else if (!last_key_.has_value()) {
    overlay_position_ = reverse_ ? upper() : lower();
  } else {
    const OverlayKey last(*last_key_);
    overlay_position_ = reverse_ ? rows.LowerBound(last) : rows.UpperBound(last);
  }
}

const OverlayTree::Entry* MergedScan::OverlayHead() const {
  if (overlay_position_ == overlay_stop_) return nullptr;
  if (!reverse_) return &*overlay_position_;
  auto head = overlay_position_;
  return &*--head;
}

int MergedScan::Order(const OverlayTree::Entry* changed, bool in_rocksdb) const {
  if (changed == nullptr) return 1;
  if (!in_rocksdb) return -1;
  const int order = changed->key.bytes.compare(View(rocksdb_->key()));
  return reverse_ ? -order : order;
}

void MergedScan::AdvanceOverlay() {
  if (reverse_) {
    --overlay_position_;
  } else {
    ++overlay_position_;
  }
}

void MergedScan::AdvanceRocksdb() {
  if (reverse_) {
    rocksdb_->Prev();
  } else {
    rocksdb_->Next();
  }
}

}  // namespace weir
