#include "state/versions_row.h"

#include <cstring>

#include "state/offsets.h"

namespace weir {

namespace {

void AppendInt64(std::string* out, int64_t value) {
  char bytes[8];
  PutInt64(bytes, value);
  out->append(bytes, sizeof(bytes));
}

void AppendEntry(std::string* out, const Version& version) {
  AppendInt64(out, version.from_ms);
  const int32_t size = version.value.has_value() ? static_cast<int32_t>(version.value->size()) : -1;
  const uint32_t swapped = __builtin_bswap32(static_cast<uint32_t>(size));
  out->append(reinterpret_cast<const char*>(&swapped), sizeof(swapped));
}

int32_t GetInt32(const char* in) {
  uint32_t swapped;
  std::memcpy(&swapped, in, sizeof(swapped));
  return static_cast<int32_t>(__builtin_bswap32(swapped));
}

Status Corrupt(const char* what) {
  return Status("rocksdb:Corruption", std::string("A row of versions ") + what);
}

}  // namespace

Result<VersionsRow> VersionsRow::Of(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes + kEntryBytes) return Corrupt("is too short");
  return VersionsRow(bytes);
}

void VersionsRow::WriteOne(const Version& version, int64_t next_ms, std::string* out) {
  out->clear();
  AppendInt64(out, next_ms);
  AppendInt64(out, version.from_ms);
  AppendEntry(out, version);
  out->append(version.value.value_or(std::string_view()));
}

int64_t VersionsRow::next_ms() const { return GetInt64(bytes_.data()); }

int64_t VersionsRow::oldest_ms() const { return GetInt64(bytes_.data() + 8); }

Result<VersionsRow::Place> VersionsRow::Find(int64_t time_ms) const { return Walk(time_ms); }

Result<VersionsRow::Place> VersionsRow::Walk(std::optional<int64_t> time_ms) const {
  const int64_t oldest = oldest_ms();
  Place place;
  place.to_ms = next_ms();
  for (;;) {
    const size_t entry = kHeaderBytes + place.index * kEntryBytes;
    if (entry + kEntryBytes + place.newer_bytes > bytes_.size()) return Corrupt("ends within a version");
    place.from_ms = GetInt64(bytes_.data() + entry);
    place.size = GetInt32(bytes_.data() + entry + 8);
    if (place.value_bytes() > bytes_.size() - entry - kEntryBytes - place.newer_bytes)
      return Corrupt("ends within a value");
    if (time_ms.has_value() && place.from_ms <= *time_ms) return place;
    const bool is_oldest = place.from_ms == oldest;
    if (is_oldest && time_ms.has_value()) return Corrupt("does not reach back to its first version");
    place.newer_bytes += place.value_bytes();
    place.to_ms = place.from_ms;
    place.size = -1;
    place.index++;
    if (is_oldest) return place;
  }
}

std::optional<std::string_view> VersionsRow::ValueAt(const Place& place) const {
  if (place.size < 0) return std::nullopt;
  return bytes_.substr(bytes_.size() - place.newer_bytes - place.value_bytes(), place.value_bytes());
}

Status VersionsRow::WriteWithNewest(const Version& version, int64_t next_ms, std::string* out) const {
  const int64_t own_next = this->next_ms();
  if (version.from_ms < own_next) return Corrupt("overlaps a newer version of its key");
  if (own_next == version.from_ms && marks_only()) {
    WriteOne(version, next_ms, out);
    return Status::Ok();
  }
  Place newest;
  newest.to_ms = own_next;
  if (own_next == version.from_ms) {
    Write(newest, /*replaced=*/false, version, next_ms, out);
    return Status::Ok();
  }
  // What the row's newest version ended with was a deletion.
  std::string with_deletion;
  if (marks_only()) {
    WriteOne({own_next, std::nullopt}, version.from_ms, &with_deletion);
  } else {
    Write(newest, /*replaced=*/false, {own_next, std::nullopt}, version.from_ms, &with_deletion);
  }
  newest.to_ms = version.from_ms;
  VersionsRow(with_deletion).Write(newest, /*replaced=*/false, version, next_ms, out);
  return Status::Ok();
}

Status VersionsRow::WriteWithOldest(const Version& version, std::string* out) const {
  if (marks_only()) {
    WriteOne(version, next_ms(), out);
    return Status::Ok();
  }
  const Result<Place> end = Walk(std::nullopt);
  if (!end.ok()) return end.status();
  Write(end.value(), /*replaced=*/false, version, next_ms(), out);
  return Status::Ok();
}

void VersionsRow::WriteWithInserted(const Place& place, const Version& version, std::string* out) const {
  Write(place, /*replaced=*/false, version, next_ms(), out);
}

void VersionsRow::WriteWithReplaced(const Place& place, const Version& version, std::string* out) const {
  Write(place, /*replaced=*/true, version, next_ms(), out);
}

void VersionsRow::Write(const Place& place, bool replaced, const Version& version, int64_t next_ms,
                        std::string* out) const {
  const size_t entry = kHeaderBytes + place.index * kEntryBytes;
  const size_t older_entries = entry + (replaced ? kEntryBytes : 0);
  const size_t newer_values = bytes_.size() - place.newer_bytes;
  const size_t older_values_end = newer_values - (replaced ? place.value_bytes() : 0);
  // The oldest is the last of all entries: this one when there is none behind it.
  const bool becomes_oldest = replaced ? place.from_ms == oldest_ms() : place.to_ms == oldest_ms();
  out->clear();
  AppendInt64(out, next_ms);
  AppendInt64(out, becomes_oldest ? version.from_ms : oldest_ms());
  out->append(bytes_.substr(kHeaderBytes, entry - kHeaderBytes));
  AppendEntry(out, version);
  out->append(bytes_.substr(older_entries, older_values_end - older_entries));
  out->append(version.value.value_or(std::string_view()));
  out->append(bytes_.substr(newer_values));
}

}  // namespace weir
