#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "state/task_database.h"
#include "test/state/state_support.h"

namespace weir {

// Keys from a small set, so that they meet again, with shared prefixes and the bytes at both ends.
inline std::string RandomKey(Random& random) {
  std::string key = random.OneIn(3) ? std::string("user-") : std::string();
  const size_t length = random.Below(3);
  for (size_t i = 0; i < length; i++)
    key.push_back(
        "\x00\x01"
        "ab"
        "\xff"[random.Below(5)]);
  return key + std::to_string(random.Below(60));
}

// A database and what it must hold.
struct Tested {
  std::shared_ptr<TaskDatabase> database;
  std::vector<Model> now{3};
  std::vector<Model> committed{3};
  std::shared_ptr<RecordingSink> sink = ThreeStoresSink();

  void ChangeSome(Random& random) {
    const size_t store = random.Below(3);
    ChangeBatch batch;
    const size_t count = 1 + random.Below(40);
    for (size_t i = 0; i < count; i++) {
      const std::string key = RandomKey(random);
      const auto timestamp = static_cast<int64_t>(random.Below(1'000'000));
      std::optional<std::string> value;
      if (!random.OneIn(3))
        value = (store == 1 ? TimestampBytes(timestamp) : "") + random.Bytes(random.Below(80));
      batch.Put(key, value, timestamp);
      if (value.has_value()) {
        now[store][key] = *value;
      } else {
        now[store].erase(key);
      }
    }
    const Result<int64_t> bytes = batch.Apply(*database, store);
    ASSERT_TRUE(bytes.ok()) << bytes.status().message();
    EXPECT_GT(bytes.value(), 0);
  }
};

// State and offset after a crash come from the same write: replaying the changelog up to the offset gives
// exactly the rows.
inline void ExpectConsistent(const std::shared_ptr<TaskDatabase>& database, const RecordingSink& sink) {
  const std::vector<StoreOffset> offsets = database->Offsets();
  for (size_t store = 0; store < 2; store++) {
    ASSERT_LE(offsets[store].offset, static_cast<int64_t>(sink.log(store).size()));
    EXPECT_EQ(ScanAll(database, store),
              RowsOf(Replay(sink.log(store), std::max<int64_t>(0, offsets[store].offset), store == 1)));
  }
}

}  // namespace weir
