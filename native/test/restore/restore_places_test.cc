#include "restore/restore_places.h"

#include <gtest/gtest.h>

#include "restore/restore_writer.h"
#include "test/test_support.h"

namespace weir {
namespace {

using Indexes = std::vector<size_t>;

constexpr int64_t kLong = kBulkRecordsMin;

TEST(RestorePlaces, TheLeastToReadComesFirst) {
  EXPECT_EQ(NextToRestore({2, 4, 0}, {{30, false}, {kLong, false}, {10, false}, {20, false}}),
            (Indexes{2, 3, 0, 1}));
  EXPECT_EQ(NextToRestore({2, 3, 0}, {{kLong + 2, false}, {kLong + 1, false}, {kLong, false}}),
            (Indexes{2, 1}));
}

TEST(RestorePlaces, LongOnesLeaveRoomForShortOnes) {
  // Every place of long ones is taken: a short one comes at once, a long one waits.
  EXPECT_EQ(NextToRestore({2, 3, 0}, {{kLong, true}, {kLong, true}, {kLong, false}, {5, false}}),
            (Indexes{3}));
  // Short ones may take all the places; then all wait.
  EXPECT_EQ(NextToRestore({1, 3, 0}, {{5, true}, {5, true}, {5, true}, {1, false}}), (Indexes{}));
}

TEST(RestorePlaces, MemoryIsNotExceeded) {
  Random random;
  for (int i = 0; i < 1000; i++) {
    const size_t memory = size_t{1} << (10 + random.Below(25));
    const size_t threads = 1 + random.Below(8);
    const RestorePlaces places = PlacesFor(memory, threads);
    EXPECT_GE(places.long_max, 1u);
    EXPECT_GT(places.max, places.long_max);
    EXPECT_LE(places.long_max * places.writer_bytes * threads, memory / 4 * 3);
    std::vector<PlaceRequest> requests;
    for (size_t n = random.Below(20); n > 0; n--) requests.push_back({random.OneIn(2) ? kLong : 1, false});
    for (const size_t granted : NextToRestore(places, requests)) requests[granted].has_place = true;
    size_t taken = 0;
    size_t taken_by_long = 0;
    for (const PlaceRequest& request : requests) {
      if (request.has_place) taken++;
      if (request.has_place && request.records >= kLong) taken_by_long++;
    }
    EXPECT_LE(taken, places.max);
    EXPECT_LE(taken_by_long, places.long_max);
    // Nobody waits without need.
    for (const PlaceRequest& request : requests) {
      if (request.has_place) continue;
      EXPECT_TRUE(taken == places.max || (request.records >= kLong && taken_by_long == places.long_max));
    }
  }
}

}  // namespace
}  // namespace weir
