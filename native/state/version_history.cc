#include "state/version_history.h"

#include <rocksdb/db.h>

#include <algorithm>

#include "state/offsets.h"
#include "state/rocksdb_status.h"

namespace weir {

namespace {

constexpr size_t kTimeBytes = 8;

Result<int64_t> FromOfLatest(std::string_view row) {
  if (row.size() < kTimeBytes)
    return Status("rocksdb:Corruption", "A latest version does not begin with its time");
  return GetInt64(row.data());
}

}  // namespace

Result<int64_t> VersionHistory::Put(std::string_view key, const Version& version, int64_t* stream_time_ms) {
  if (version.from_ms < *stream_time_ms - segments_.retention_ms) return kNotPut;
  *stream_time_ms = std::max(*stream_time_ms, version.from_ms);
  const Result<bool> has_latest = Read(kLatestRows, key, &latest_);
  if (!has_latest.ok()) return has_latest.status();
  std::optional<int64_t> to;
  if (has_latest.value()) {
    const Result<int64_t> from = FromOfLatest(latest_.bytes);
    if (!from.ok()) return from.status();
    if (version.from_ms >= from.value()) {
      if (version.from_ms > from.value()) {
        const Version ended{from.value(), latest_.bytes.substr(kTimeBytes)};
        Status status = PutAsNewest(segments_.SegmentOf(version.from_ms), key, ended, version.from_ms);
        if (!status.ok()) return status;
      }
      PutLatest(key, version);
      return kLatest;
    }
    to = from.value();
  }
  const Result<int64_t> segment = FindSegmentRow(key, version.from_ms, *stream_time_ms);
  if (!segment.ok()) return segment.status();
  if (segment.value() != kNoSegment) {
    const int64_t oldest = VersionsRow::Of(found_.bytes).value().oldest_ms();
    if (oldest <= version.from_ms) return PutWithin(segment.value(), key, version);
    to = oldest;
  }
  Status status;
  if (to.has_value()) {
    status = PutBefore(*to, key, version);
  } else if (version.value.has_value()) {
    PutLatest(key, version);
  } else {
    status = PutDeletion(key, version.from_ms);
  }
  if (!status.ok()) return status;
  return to.value_or(kLatest);
}

Result<std::optional<FoundVersion>> VersionHistory::Get(std::string_view key, std::optional<int64_t> time_ms,
                                                        int64_t stream_time_ms) {
  const Result<bool> has_latest = Read(kLatestRows, key, &latest_);
  if (!has_latest.ok()) return has_latest.status();
  if (has_latest.value()) {
    const Result<int64_t> from = FromOfLatest(latest_.bytes);
    if (!from.ok()) return from.status();
    if (!time_ms.has_value() || from.value() <= *time_ms)
      return std::optional(FoundVersion{from.value(), kLatest, latest_.bytes.substr(kTimeBytes)});
  }
  if (!time_ms.has_value() || *time_ms < stream_time_ms - segments_.retention_ms)
    return std::optional<FoundVersion>();
  const Result<int64_t> segment = FindSegmentRow(key, *time_ms, stream_time_ms);
  if (!segment.ok()) return segment.status();
  if (segment.value() == kNoSegment) return std::optional<FoundVersion>();
  const VersionsRow row = VersionsRow::Of(found_.bytes).value();
  if (row.oldest_ms() > *time_ms) return std::optional<FoundVersion>();
  const Result<VersionsRow::Place> place = row.Find(*time_ms);
  if (!place.ok()) return place.status();
  const std::optional<std::string_view> value = row.ValueAt(place.value());
  if (!value.has_value()) return std::optional<FoundVersion>();
  return std::optional(FoundVersion{place.value().from_ms, place.value().to_ms, *value});
}

std::string_view VersionHistory::KeyOf(int64_t segment, std::string_view key) {
  key_.resize(SegmentSettings::kPrefixBytes);
  PutInt64(key_.data(), segment);
  key_.append(key);
  return key_;
}

Result<bool> VersionHistory::Read(int64_t segment, std::string_view key, Row* row) {
  const std::string_view row_key = KeyOf(segment, key);
  if (const Overlay::Row* const changed = overlay_.Find(row_key); changed != nullptr) {
    row->bytes = changed->value();
    return !changed->deleted;
  }
  row->pinned.Reset();
  const rocksdb::Status status =
      rocksdb_.db()->Get(rocksdb::ReadOptions(), rocksdb_.family(family_), row_key, &row->pinned);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return RocksdbStatus(status, "The state database " + rocksdb_.path() + " cannot be read");
  row->bytes = {row->pinned.data(), row->pinned.size()};
  return true;
}

void VersionHistory::Write(int64_t segment, std::string_view key, std::optional<std::string_view> row) {
  // The changelog's records have times of their own.
  overlay_.Put(KeyOf(segment, key), row, /*timestamp_ms=*/0);
}

Result<int64_t> VersionHistory::FindSegmentRow(std::string_view key, int64_t time_ms,
                                               int64_t stream_time_ms) {
  const int64_t last = segments_.SegmentOf(stream_time_ms);
  for (int64_t segment = segments_.SegmentOf(time_ms); segment <= last; segment++) {
    const Result<bool> exists = Read(segment, key, &found_);
    if (!exists.ok()) return exists.status();
    if (!exists.value()) continue;
    const Result<VersionsRow> row = VersionsRow::Of(found_.bytes);
    if (!row.ok()) return row.status();
    if (row.value().next_ms() > time_ms) return segment;
  }
  return kNoSegment;
}

Status VersionHistory::PutAsNewest(int64_t segment, std::string_view key, const Version& version,
                                   int64_t to_ms) {
  const Result<bool> exists = Read(segment, key, &changes_);
  if (!exists.ok()) return exists.status();
  if (exists.value()) {
    const Result<VersionsRow> row = VersionsRow::Of(changes_.bytes);
    if (!row.ok()) return row.status();
    Status status = row.value().WriteWithNewest(version, to_ms, &scratch_);
    if (!status.ok()) return status;
  } else {
    VersionsRow::WriteOne(version, to_ms, &scratch_);
  }
  Write(segment, key, scratch_);
  return Status::Ok();
}

void VersionHistory::PutLatest(std::string_view key, const Version& version) {
  if (!version.value.has_value()) {
    Write(kLatestRows, key, std::nullopt);
    return;
  }
  scratch_.resize(kTimeBytes);
  PutInt64(scratch_.data(), version.from_ms);
  scratch_.append(*version.value);
  Write(kLatestRows, key, scratch_);
}

Result<int64_t> VersionHistory::PutWithin(int64_t segment, std::string_view key, const Version& version) {
  const VersionsRow row = VersionsRow::Of(found_.bytes).value();
  const Result<VersionsRow::Place> searched = row.Find(version.from_ms);
  if (!searched.ok()) return searched.status();
  const VersionsRow::Place& place = searched.value();
  const int64_t own_segment = segments_.SegmentOf(version.from_ms);
  std::string changed;
  if (place.from_ms == version.from_ms) {
    row.WriteWithReplaced(place, version, &changed);
  } else if (own_segment == segment) {
    row.WriteWithInserted(place, version, &changed);
  } else {
    // What was valid until now ends in an older segment.
    row.WriteWithReplaced(place, version, &changed);
    Status status = PutAsNewest(own_segment, key, {place.from_ms, row.ValueAt(place)}, version.from_ms);
    if (!status.ok()) return status;
  }
  Write(segment, key, changed);
  return place.to_ms;
}

Status VersionHistory::PutBefore(int64_t to_ms, std::string_view key, const Version& version) {
  const int64_t segment = segments_.SegmentOf(to_ms);
  const Result<bool> exists = Read(segment, key, &changes_);
  if (!exists.ok()) return exists.status();
  if (!exists.value()) {
    VersionsRow::WriteOne(version, to_ms, &scratch_);
  } else {
    const Result<VersionsRow> row = VersionsRow::Of(changes_.bytes);
    if (!row.ok()) return row.status();
    // All of the row's versions lie on one side.
    const Status status = row.value().next_ms() <= version.from_ms
                              ? row.value().WriteWithNewest(version, to_ms, &scratch_)
                              : row.value().WriteWithOldest(version, &scratch_);
    if (!status.ok()) return status;
  }
  Write(segment, key, scratch_);
  return Status::Ok();
}

Status VersionHistory::PutDeletion(std::string_view key, int64_t time_ms) {
  const int64_t segment = segments_.SegmentOf(time_ms);
  const Result<bool> exists = Read(segment, key, &changes_);
  if (!exists.ok()) return exists.status();
  if (!exists.value()) {
    VersionsRow::WriteOne({time_ms, std::nullopt}, time_ms, &scratch_);
  } else {
    const Result<VersionsRow> row = VersionsRow::Of(changes_.bytes);
    if (!row.ok()) return row.status();
    const int64_t ended = row.value().next_ms();
    // That the key was deleted then is known.
    if (ended == time_ms) return Status::Ok();
    const Status status = row.value().WriteWithNewest({ended, std::nullopt}, time_ms, &scratch_);
    if (!status.ok()) return status;
  }
  Write(segment, key, scratch_);
  return Status::Ok();
}

}  // namespace weir
