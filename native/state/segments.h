#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"

namespace weir {

// How the rows of a window or session store are cut into segments of time, so that old ones go as ranges of
// keys, whatever the number of their rows.
//
//   changelog key   key time(8) rest                    rest: a window's sequence(4), a session's start(8)
//   key on disk     segment(8) changelog key            segment = time / interval_ms; integers big-endian
//
// The keys of a versioned store end with no time: version_history.h tells what it keeps under which segment.
//
// A row is live while its segment is not older than that of `stream time - retention`, the stream time being
// the highest time that the store was ever given. Kafka Streams' AbstractSegments.
//
// Threading: a value.
struct SegmentSettings {
  static constexpr size_t kPrefixBytes = 8;
  static constexpr size_t kWindowSuffixBytes = 12;
  static constexpr size_t kSessionSuffixBytes = 16;
  static constexpr size_t kVersionedSuffixBytes = 0;

  int64_t retention_ms;
  int64_t interval_ms;
  // What follows the record's key: the time and the rest.
  size_t suffix_bytes;

  bool versioned() const { return suffix_bytes == kVersionedSuffixBytes; }
  int64_t SegmentOf(int64_t time_ms) const { return time_ms < 0 ? 0 : time_ms / interval_ms; }
  int64_t OldestLive(int64_t stream_time_ms) const { return SegmentOf(stream_time_ms - retention_ms); }
  // REQUIRES: not versioned; IsChangelogKey.
  int64_t TimeOf(std::string_view changelog_key) const;
  bool IsChangelogKey(std::string_view key) const { return key.size() >= suffix_bytes; }
  // Has a prefix, and the one of its time. REQUIRES: not versioned.
  bool IsStoredKey(std::string_view key) const;
};

// What a segmented store has seen. One row of the family `offsets`, written in the same atomic write as the
// rows that it was seen in.
//
//   key    `observed:` and the store's name (no store's name has a colon)
//   value  stream time, ms (8)  sequence (4)  the rows' segment interval, ms (8)    integers big-endian
struct Observed {
  // The highest time of a row; -1 before the first.
  int64_t stream_time_ms = -1;
  // The last sequence number of a window store that keeps duplicates; it goes round at 2^31.
  int32_t sequence = 0;

  bool operator==(const Observed& other) const {
    return stream_time_ms == other.stream_time_ms && sequence == other.sequence;
  }
  bool operator!=(const Observed& other) const { return !(*this == other); }

  // REQUIRES: a changelog key of a store that is not versioned.
  void Add(const SegmentSettings& segments, std::string_view changelog_key);
};

// The first key on disk that a segment can have.
std::string SegmentPrefix(int64_t segment);

std::string ObservedKey(const std::string& store);
std::string EncodeObserved(const Observed& observed, const SegmentSettings& segments);
// The row as it is, for whoever does not know the store.
struct SeenRow {
  Observed observed;
  int64_t interval_ms;
};
Result<SeenRow> DecodeSeen(const std::string& store, std::string_view value);
// Nullopt when the rows are cut into other segments: they cannot be read by these.
Result<std::optional<Observed>> DecodeObserved(const std::string& store, std::string_view value,
                                               const SegmentSettings& segments);

}  // namespace weir
