#pragma once

#include <rocksdb/slice.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "state/overlay.h"
#include "state/rocksdb_instance.h"
#include "state/segments.h"
#include "state/versions_row.h"

namespace weir {

// What a look-up finds: the version that is valid at a time.
struct FoundVersion {
  int64_t from_ms;
  int64_t to_ms;  // kLatest: it is valid until another one comes
  // Of the overlay or of the history's own memory: valid until its next call.
  std::string_view value;
};

// The versions of every key of a versioned store: reads and writes its rows in an overlay over RocksDB.
//
//   latest(8) key     from(8) value           the latest version; absent when the key is deleted
//   segment(8) key    a VersionsRow           the others, by the segment that their validity ended in
//
// `latest` is 0xff eight times: behind all segments, so that it never expires with them. Which rows a put reads
// and writes, and so what it remembers of deletions, is as in Kafka Streams' RocksDBVersionedStore; only that
// segments are searched from the oldest of them on, which finds the same. No row of an expired segment is read:
// no time before `stream time - retention` is looked for.
//
// Threading: one thread at a time, which may read the database. REQUIRES: overlay and database outlive it.
class VersionHistory {
 public:
  static constexpr int64_t kLatest = -1;
  // Kafka Streams' PUT_RETURN_CODE_NOT_PUT.
  static constexpr int64_t kNotPut = std::numeric_limits<int64_t>::min();

  VersionHistory(const SegmentSettings& segments, Overlay& overlay, RocksdbInstance& rocksdb, size_t family)
      : segments_(segments), overlay_(overlay), rocksdb_(rocksdb), family_(family) {}

  // Puts a version, and advances the stream time. Returns the time until which it is valid, kLatest, or kNotPut for
  // one that lies more than the retention behind the stream time. REQUIRES: time >= 0.
  Result<int64_t> Put(std::string_view key, const Version& version, int64_t* stream_time_ms);
  // The version of a key at a time; the latest for nullopt. Nothing when the key was deleted then, or when that time
  // lies more than the retention behind the stream time and the latest version is younger.
  Result<std::optional<FoundVersion>> Get(std::string_view key, std::optional<int64_t> time_ms,
                                          int64_t stream_time_ms);

 private:
  static constexpr int64_t kLatestRows = -1;
  static constexpr int64_t kNoSegment = -1;

  // A row as it stands: in the overlay, or pinned in RocksDB.
  struct Row {
    rocksdb::PinnableSlice pinned;
    std::string_view bytes;
  };

  std::string_view KeyOf(int64_t segment, std::string_view key);
  // Returns whether there is one.
  Result<bool> Read(int64_t segment, std::string_view key, Row* row);
  void Write(int64_t segment, std::string_view key, std::optional<std::string_view> row);
  // Reads, of the rows from the segment of a time to that of the stream time, the first that reaches beyond that
  // time. Returns its segment, kNoSegment when there is none.
  Result<int64_t> FindSegmentRow(std::string_view key, int64_t time_ms, int64_t stream_time_ms);
  // Puts a version that is valid until `to` behind all of a segment's versions.
  Status PutAsNewest(int64_t segment, std::string_view key, const Version& version, int64_t to_ms);
  void PutLatest(std::string_view key, const Version& version);
  // Puts a version into the row that was found, of which one is valid at its time.
  Result<int64_t> PutWithin(int64_t segment, std::string_view key, const Version& version);
  // Puts a version that is valid until `to`, when there is another one, before which none is.
  Status PutBefore(int64_t to_ms, std::string_view key, const Version& version);
  // Remembers the deletion of a key of which nothing newer is known.
  Status PutDeletion(std::string_view key, int64_t time_ms);

  const SegmentSettings segments_;
  Overlay& overlay_;
  RocksdbInstance& rocksdb_;
  const size_t family_;
  std::string key_;
  std::string scratch_;
  Row latest_;
  Row found_;    // FindSegmentRow's
  Row changes_;  // one that is about to be written anew
};

}  // namespace weir
