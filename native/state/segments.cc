#include "state/segments.h"

#include <algorithm>
#include <cstring>

#include "state/offsets.h"

namespace weir {

namespace {

constexpr uint32_t kSequenceMask = 0x7fffffff;
constexpr size_t kObservedBytes = 20;

int32_t GetInt32(const char* in) {
  uint32_t swapped;
  std::memcpy(&swapped, in, sizeof(swapped));
  return static_cast<int32_t>(__builtin_bswap32(swapped));
}

// Sequences go round: of two, the one that is less than half of a round ahead is the newer.
bool IsNewer(int32_t sequence, int32_t than) {
  const uint32_t ahead = (static_cast<uint32_t>(sequence) - static_cast<uint32_t>(than)) & kSequenceMask;
  return ahead != 0 && ahead <= kSequenceMask / 2;
}

}  // namespace

int64_t SegmentSettings::TimeOf(std::string_view changelog_key) const {
  return GetInt64(changelog_key.data() + changelog_key.size() - suffix_bytes);
}

bool SegmentSettings::IsStoredKey(std::string_view key) const {
  if (key.size() < kPrefixBytes + suffix_bytes) return false;
  const int64_t time_ms = TimeOf(key);
  return time_ms >= 0 && GetInt64(key.data()) == SegmentOf(time_ms);
}

void Observed::Add(const SegmentSettings& segments, std::string_view changelog_key) {
  stream_time_ms = std::max(stream_time_ms, segments.TimeOf(changelog_key));
  if (segments.suffix_bytes != SegmentSettings::kWindowSuffixBytes) return;
  const int32_t row_sequence = GetInt32(changelog_key.data() + changelog_key.size() - sizeof(int32_t));
  if (IsNewer(row_sequence, sequence)) sequence = row_sequence;
}

std::string SegmentPrefix(int64_t segment) {
  std::string prefix(SegmentSettings::kPrefixBytes, '\0');
  PutInt64(prefix.data(), segment);
  return prefix;
}

std::string ObservedKey(const std::string& store) { return "observed:" + store; }

std::string EncodeObserved(const Observed& observed, const SegmentSettings& segments) {
  std::string value(kObservedBytes, '\0');
  PutInt64(value.data(), observed.stream_time_ms);
  const uint32_t swapped = __builtin_bswap32(static_cast<uint32_t>(observed.sequence));
  std::memcpy(value.data() + 8, &swapped, sizeof(swapped));
  PutInt64(value.data() + 12, segments.interval_ms);
  return value;
}

Result<SeenRow> DecodeSeen(const std::string& store, std::string_view value) {
  if (value.size() != kObservedBytes) {
    return Status("rocksdb:Corruption", "the stream time of store " + store + " has " +
                                            std::to_string(value.size()) + " bytes instead of " +
                                            std::to_string(kObservedBytes));
  }
  return SeenRow{{GetInt64(value.data()), GetInt32(value.data() + 8)}, GetInt64(value.data() + 12)};
}

Result<std::optional<Observed>> DecodeObserved(const std::string& store, std::string_view value,
                                               const SegmentSettings& segments) {
  const Result<SeenRow> row = DecodeSeen(store, value);
  if (!row.ok()) return row.status();
  if (row.value().interval_ms != segments.interval_ms) return std::optional<Observed>();
  return std::optional(row.value().observed);
}

}  // namespace weir
