#include "restore/record_run.h"

#include <gtest/gtest.h>

#include <map>

#include "test/test_support.h"

namespace weir {
namespace {

TEST(RecordRun, KeepsTheLastRecordOfEachKeyInOrder) {
  Random random;
  RecordRun run;
  for (int round = 0; round < 20; round++) {
    std::vector<std::string> keys;
    std::vector<std::string> values;
    for (int i = 0; i < 2000; i++) {
      keys.push_back(random.Bytes(random.Below(3)));
      values.push_back(std::to_string(i));
    }
    std::map<std::string, std::pair<std::optional<std::string>, int64_t>> model;
    run.Clear();
    for (size_t i = 0; i < keys.size(); i++) {
      const bool deletes = random.OneIn(4);
      run.Add({keys[i], deletes ? std::nullopt : std::optional<std::string_view>(values[i]),
               static_cast<int64_t>(i)});
      model[keys[i]] = {deletes ? std::nullopt : std::optional(values[i]), static_cast<int64_t>(i)};
    }
    const std::vector<ChangelogRecord>& sorted = run.Sorted();
    ASSERT_EQ(sorted.size(), model.size());
    auto expected = model.begin();
    for (const ChangelogRecord& record : sorted) {
      EXPECT_EQ(record.key, expected->first);
      EXPECT_EQ(record.value.has_value(), expected->second.first.has_value());
      if (record.value.has_value()) {
        EXPECT_EQ(*record.value, *expected->second.first);
      }
      EXPECT_EQ(record.timestamp_ms, expected->second.second);
      ++expected;
    }
  }
}

}  // namespace
}  // namespace weir
