#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"

namespace weir {

// A value of a key from some time on; nullopt: the key was deleted then.
struct Version {
  int64_t from_ms;
  std::optional<std::string_view> value;
};

// The versions of one key whose validity ended within one segment of time. Kafka Streams'
// RocksDBVersionedStoreSegmentValueFormatter.
//
//   next(8) oldest(8) { from(8) size(4) }...  newest first     { value }...  oldest first     integers big-endian
//
// Each version is valid until the next newer one, the newest until `next`. Size -1 is a deletion. The oldest
// version is the one whose time is `oldest`. A deletion of a key of which nothing else is known is the row's only
// version, and its `next` is its own time: it is valid at no time, and marks one.
//
// Threading: a view; the bytes belong to the caller.
class VersionsRow {
 public:
  // A version, or the place after the oldest (`size` -1).
  struct Place {
    size_t index = 0;
    size_t newer_bytes = 0;  // of the values of newer versions
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    int32_t size = -1;

    size_t value_bytes() const { return size < 0 ? 0 : static_cast<size_t>(size); }
  };

  // `rocksdb:Corruption` when it is too short to be a row.
  static Result<VersionsRow> Of(std::string_view bytes);
  // Writes a row of one version.
  static void WriteOne(const Version& version, int64_t next_ms, std::string* out);

  int64_t next_ms() const;
  int64_t oldest_ms() const;
  bool marks_only() const { return next_ms() == oldest_ms(); }

  // The version that is valid at a time. REQUIRES: oldest_ms <= time < next_ms.
  Result<Place> Find(int64_t time_ms) const;
  std::optional<std::string_view> ValueAt(const Place& place) const;

  // Each writes the row as it is after a change.

  // A version after all of the row's, none of which may be valid after its time.
  Status WriteWithNewest(const Version& version, int64_t next_ms, std::string* out) const;
  // A version before all of the row's. REQUIRES: its time < oldest_ms.
  Status WriteWithOldest(const Version& version, std::string* out) const;
  // A version right after the one at `place`, within its validity.
  void WriteWithInserted(const Place& place, const Version& version, std::string* out) const;
  // Another version instead of the one at `place`, within its validity.
  void WriteWithReplaced(const Place& place, const Version& version, std::string* out) const;

 private:
  static constexpr size_t kHeaderBytes = 16;
  static constexpr size_t kEntryBytes = 12;

  explicit VersionsRow(std::string_view bytes) : bytes_(bytes) {}
  // Walks from the newest version to the one that is valid at a time, or past the oldest.
  Result<Place> Walk(std::optional<int64_t> time_ms) const;
  // Puts a version before the one at `place`, and leaves that one out when `replaced`.
  void Write(const Place& place, bool replaced, const Version& version, int64_t next_ms,
             std::string* out) const;

  std::string_view bytes_;
};

}  // namespace weir
