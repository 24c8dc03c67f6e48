#include "state/merged_scan.h"

#include <rocksdb/slice.h>

#include <cstring>

#include "state/rocksdb_status.h"
#include "state/task_database.h"

namespace weir {

namespace {

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace

MergedScan::MergedScan(std::shared_ptr<TaskDatabase> database, const Overlay* overlay, rocksdb::DB* db,
                       rocksdb::ColumnFamilyHandle* family, const MemoryTable* table)
    : database_(std::move(database)),
      overlay_(overlay),
      db_(db),
      family_(family),
      table_(table),
      overlay_position_(overlay->rows().begin()),
      overlay_stop_(overlay_position_) {}

void MergedScan::Bound::Set(std::optional<std::string_view> bound) {
  is_set = bound.has_value();
  bytes.assign(bound.value_or(std::string_view()));
  slice = bytes;
}

bool MergedScan::Begin(std::optional<std::string_view> from, std::optional<std::string_view> to,
                       bool reverse) {
  if (database_ != nullptr) database_->FinishCommit();
  if (database_ == nullptr) return false;
  End();
  database_->memory_->AddScans(1);
  running_ = true;
  from_.Set(from);
  to_.Set(to);
  reverse_ = reverse;
  has_last_key_ = false;
  at_end_ = false;
  OpenIterator();
  if (reverse_) {
    rocksdb_->SeekToLast();
  } else {
    rocksdb_->SeekToFirst();
  }
  return true;
}

void MergedScan::OpenIterator() {
  if (table_ != nullptr) {
    const auto view = [](const Bound& bound) {
      return bound.is_set ? std::optional<std::string_view>(bound.bytes) : std::nullopt;
    };
    rocksdb_ = table_->NewIterator(view(from_), view(to_));
    return;
  }
  if (rocksdb_ != nullptr && iterator_has_from_ == from_.is_set && iterator_has_to_ == to_.is_set) return;
  rocksdb::ReadOptions options;
  if (from_.is_set) options.iterate_lower_bound = &from_.slice;
  if (to_.is_set) options.iterate_upper_bound = &to_.slice;
  iterator_has_from_ = from_.is_set;
  iterator_has_to_ = to_.is_set;
  rocksdb_.reset(db_->NewIterator(options, family_));
}

void MergedScan::End() {
  if (!running_) return;
  running_ = false;
  if (database_ == nullptr) return;
  database_->memory_->AddScans(-1);
  if (database_->is_reader_) rocksdb_.reset();
}

void MergedScan::Close() {
  if (database_ == nullptr) return;
  End();
  rocksdb_.reset();
  // May end the database: nothing of this object is used after it.
  const std::shared_ptr<TaskDatabase> database = std::move(database_);
  database->scans_.erase(this);
}

Result<int64_t> MergedScan::Next(char* out, size_t out_size, RowColumns columns, size_t capacity) {
  if (database_ != nullptr) database_->FinishCommit();
  if (!running_) return Status::Closed("The scan");
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
  if (returned.has_value()) {
    last_key_.assign(*returned);
    has_last_key_ = true;
  }
  const Status status =
      RocksdbStatus(rocksdb_->status(), "A scan of the state database " + database_->path() + " failed");
  if (!status.ok()) return status;
  at_end_ = changed == nullptr && !in_rocksdb;
  return too_long > 0 ? -too_long : static_cast<int64_t>(rows);
}

void MergedScan::SeekOverlay() {
  const OverlayTree& rows = overlay_->rows();
  const auto lower = [&] { return from_.is_set ? rows.LowerBound(from_.bytes) : rows.begin(); };
  const auto upper = [&] { return to_.is_set ? rows.LowerBound(to_.bytes) : rows.end(); };
  if (from_.is_set && to_.is_set && to_.bytes <= from_.bytes) {
    overlay_position_ = overlay_stop_ = rows.end();
    return;
  }
  if (!has_last_key_) {
    overlay_position_ = reverse_ ? upper() : lower();
  } else {
    overlay_position_ = reverse_ ? rows.LowerBound(last_key_) : rows.UpperBound(last_key_);
  }
  // Most ranges have no changed row: they need no second search.
  overlay_stop_ = overlay_position_;
  if (reverse_) {
    if (overlay_position_ == rows.begin()) return;
    auto next = overlay_position_;
    --next;
    if (!from_.is_set || next->key.bytes >= from_.bytes) overlay_stop_ = lower();
  } else {
    if (overlay_position_ == rows.end()) return;
    if (!to_.is_set || overlay_position_->key.bytes < to_.bytes) overlay_stop_ = upper();
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
