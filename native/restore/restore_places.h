#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir {

// How many changelogs a thread reads at a time, and the memory that each may take for rows on their way.
//
// Places of long restores are few, since each takes memory, and the others are kept for short ones. A place that
// becomes free goes to the restore with the least to read. So no short one waits for a long one.
struct RestorePlaces {
  size_t long_max;
  // Long ones and short ones together.
  size_t max;
  size_t writer_bytes;
};

// The places of each of `threads` that have `memory_bytes` together, a quarter of it for what was fetched.
RestorePlaces PlacesFor(size_t memory_bytes, size_t threads);

struct PlaceRequest {
  int64_t records;
  bool has_place;
};

// Who gets a place now: indexes of `requests` that have none, in the order in which to grant it.
std::vector<size_t> NextToRestore(const RestorePlaces& places, const std::vector<PlaceRequest>& requests);

}  // namespace weir
