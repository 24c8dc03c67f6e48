#include "restore/restore_places.h"

#include <algorithm>

#include "restore/restore_writer.h"

namespace weir {

namespace {

// A long restore with less memory makes many short runs; more of them at a time do not end sooner.
constexpr size_t kWriterBytesMin = 24 << 20;
constexpr size_t kLongPlacesMax = 6;
constexpr size_t kShortPlaces = 2;

bool IsLong(const PlaceRequest& request) { return request.records >= kBulkRecordsMin; }

}  // namespace

RestorePlaces PlacesFor(size_t memory_bytes, size_t threads) {
  const size_t for_writers = memory_bytes / threads / 4 * 3;
  const size_t places = std::clamp<size_t>(for_writers / kWriterBytesMin, 1, kLongPlacesMax);
  return {places, places + kShortPlaces, for_writers / places};
}

std::vector<size_t> NextToRestore(const RestorePlaces& places, const std::vector<PlaceRequest>& requests) {
  size_t taken = 0;
  size_t taken_by_long = 0;
  std::vector<size_t> waiting;
  for (size_t i = 0; i < requests.size(); i++) {
    if (!requests[i].has_place) {
      waiting.push_back(i);
      continue;
    }
    taken++;
    if (IsLong(requests[i])) taken_by_long++;
  }
  std::stable_sort(waiting.begin(), waiting.end(),
                   [&requests](size_t a, size_t b) { return requests[a].records < requests[b].records; });
  std::vector<size_t> granted;
  for (const size_t i : waiting) {
    if (taken == places.max || (IsLong(requests[i]) && taken_by_long == places.long_max)) break;
    granted.push_back(i);
    taken++;
    if (IsLong(requests[i])) taken_by_long++;
  }
  return granted;
}

}  // namespace weir
