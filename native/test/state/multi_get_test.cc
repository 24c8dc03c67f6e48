#include "state/multi_get.h"

#include <gtest/gtest.h>

#include "test/state/state_support.h"

namespace weir {
namespace {

TEST(MultiGet, LargeOnesAreSplitAndAgree) {
  Random random;
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  Model model;
  ChangeBatch batch;
  for (int i = 0; i < 20000; i++) {
    const std::string key = std::to_string(random.Below(40000));
    const std::string value = random.Bytes(random.Below(100));
    batch.Put(key, value);
    model[key] = value;
  }
  ASSERT_TRUE(batch.Apply(*database, 0).ok());
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  ASSERT_OK(database->Flush());
  const size_t count = 30000;
  std::string arena;
  std::vector<std::string> keys;
  std::vector<int32_t> columns(4 * count);
  const RowColumns rows(columns.data(), count);
  for (size_t i = 0; i < count; i++) {
    keys.push_back(std::to_string(random.Below(40000)));
    rows.key_start[i] = static_cast<int32_t>(arena.size());
    rows.key_length[i] = static_cast<int32_t>(keys[i].size());
    arena += keys[i];
  }
  auto multi_get = database->NewMultiGet(0, arena, rows, count);
  ASSERT_TRUE(multi_get.ok());
  ASSERT_OK(multi_get.value()->Run());
  const auto* const block = reinterpret_cast<const char*>(multi_get.value()->rows().data());
  for (size_t i = 0; i < count; i++) {
    const auto expected = model.find(keys[i]);
    ASSERT_EQ(rows.value_length[i],
              expected == model.end() ? -1 : static_cast<int32_t>(expected->second.size()));
    if (expected == model.end()) continue;
    ASSERT_EQ(std::string(block + rows.value_start[i], expected->second.size()), expected->second);
  }
}

}  // namespace
}  // namespace weir
