#include "state/multi_get.h"

#include <rocksdb/db.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <limits>
#include <mutex>

#include "state/rocksdb_status.h"

namespace weir {

Status MultiGet::Prepare(const Overlay& overlay, const MemoryTable* table, std::string_view arena,
                         RowColumns columns, size_t count) {
  columns_ = columns;
  misses_.reserve(count);
  for (size_t i = 0; i < count; i++) {
    std::string_view key;
    if (!SliceOf(arena, columns.key_start[i], columns.key_length[i], &key))
      return OutsideArena("key", i, arena.size());
    const Overlay::Row* const row = overlay.Find(key);
    const std::string* const kept = row == nullptr && table != nullptr ? table->Find(key) : nullptr;
    if (kept != nullptr) {
      columns.value_start[i] = static_cast<int32_t>(rows_.Append(*kept));
      columns.value_length[i] = static_cast<int32_t>(kept->size());
    } else if (row == nullptr && table == nullptr) {
      misses_.push_back({OverlayKey(key), static_cast<int32_t>(i)});
    } else if (row == nullptr || row->deleted) {
      columns.value_start[i] = 0;
      columns.value_length[i] = -1;
    } else {
      columns.value_start[i] = static_cast<int32_t>(rows_.Append(row->value()));
      columns.value_length[i] = static_cast<int32_t>(row->length);
    }
  }
  return Status::Ok();
}

Status MultiGet::Run() {
  const RocksdbInstance::Pin pin = rocksdb_->PinOpen();
  if (!rocksdb_->is_open()) return Status::Closed("The state database " + rocksdb_->path());
  const OverlayKeyLess less;
  std::sort(misses_.begin(), misses_.end(),
            [&less](const Miss& a, const Miss& b) { return less(a.key, b.key); });
  unique_.reserve(misses_.size() + 1);
  for (size_t i = 0; i < misses_.size(); i++) {
    if (i == 0 || misses_[i].key.bytes != misses_[i - 1].key.bytes)
      unique_.push_back(static_cast<uint32_t>(i));
  }
  const size_t keys = unique_.size();
  unique_.push_back(static_cast<uint32_t>(misses_.size()));

  const size_t part_count =
      std::clamp<size_t>(keys / kPartMin, 1, static_cast<size_t>(pool_->threads_max()) + 1);
  std::vector<Part> parts(part_count);
  for (size_t i = 0; i < part_count; i++) {
    parts[i].begin = keys * i / part_count;
    parts[i].end = keys * (i + 1) / part_count;
  }
  RunParts(parts);

  for (Part& part : parts) {
    if (!part.status.ok()) return part.status;
    const size_t shift = rows_.Append({reinterpret_cast<const char*>(part.rows.data()), part.rows.size()});
    if (rows_.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
      return Status::Invalid("The rows of one multiGet exceed 2 GiB; look up fewer keys at once");
    }
    for (size_t at = unique_[part.begin]; at < unique_[part.end]; at++) {
      if (columns_.value_length[misses_[at].index] >= 0)
        columns_.value_start[misses_[at].index] += static_cast<int32_t>(shift);
    }
  }
  return Status::Ok();
}

// This thread takes the last part itself; the pool's threads never wait for one another, so none of this can
// hang.
void MultiGet::RunParts(std::vector<Part>& parts) {
  std::mutex mutex;
  std::condition_variable done;
  size_t open = 0;
  for (size_t i = 0; i + 1 < parts.size(); i++) {
    Part* const part = &parts[i];
    {
      std::lock_guard<std::mutex> lock(mutex);
      open++;
    }
    const bool taken = pool_->Submit([this, part, &mutex, &done, &open] {
      ReadPart(*part);
      // Notified under the lock: the waiting thread destroys both right after.
      std::lock_guard<std::mutex> lock(mutex);
      open--;
      done.notify_one();
    });
    if (taken) continue;
    ReadPart(*part);
    std::lock_guard<std::mutex> lock(mutex);
    open--;
  }
  ReadPart(parts.back());
  std::unique_lock<std::mutex> lock(mutex);
  done.wait(lock, [&open] { return open == 0; });
}

void MultiGet::ReadPart(Part& part) {
  std::array<rocksdb::Slice, kCallMax> keys;
  std::array<rocksdb::PinnableSlice, kCallMax> values;
  std::array<rocksdb::Status, kCallMax> statuses;
  const rocksdb::ReadOptions options;
  for (size_t begin = part.begin; begin < part.end; begin += kCallMax) {
    const size_t count = std::min(kCallMax, part.end - begin);
    for (size_t i = 0; i < count; i++) {
      const std::string_view key = misses_[unique_[begin + i]].key.bytes;
      keys[i] = rocksdb::Slice(key.data(), key.size());
    }
    rocksdb_->db()->MultiGet(options, rocksdb_->family(family_), count, keys.data(), values.data(),
                             statuses.data(),
                             /*sorted_input=*/true);
    for (size_t i = 0; i < count; i++) {
      int32_t start = 0;
      int32_t length = -1;
      if (statuses[i].ok()) {
        start = static_cast<int32_t>(part.rows.Append({values[i].data(), values[i].size()}));
        length = static_cast<int32_t>(values[i].size());
      } else if (!statuses[i].IsNotFound()) {
        part.status =
            RocksdbStatus(statuses[i], "The state database " + rocksdb_->path() + " cannot be read");
        return;
      }
      values[i].Reset();
      for (size_t at = unique_[begin + i]; at < unique_[begin + i + 1]; at++) {
        columns_.value_start[misses_[at].index] = start;
        columns_.value_length[misses_[at].index] = length;
      }
    }
  }
}

}  // namespace weir
