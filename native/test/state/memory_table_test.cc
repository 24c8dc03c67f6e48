#include "state/memory_table.h"

#include <gtest/gtest.h>

#include "test/state/state_support.h"

namespace weir {
namespace {

// What the rows must be charged with at least: their bytes, and a node for each.
size_t LeastBytes(const Model& model) {
  size_t bytes = 0;
  for (const auto& [key, value] : model) bytes += key.size() + value.size() + 4 * sizeof(void*);
  return bytes;
}

TEST(MemoryTable, FoldsOverlaysAsAMapDoesAndCountsItsBytes) {
  Random random;
  MemoryTable table;
  Model model;
  for (int round = 0; round < 200; round++) {
    Overlay overlay;
    for (size_t changes = random.Below(60); changes > 0; changes--) {
      const std::string key = "key-" + std::to_string(random.Below(200));
      if (random.OneIn(3)) {
        overlay.Put(key, std::nullopt, 0);
        model.erase(key);
      } else {
        const std::string value = random.Bytes(random.OneIn(10) ? random.Below(5000) : random.Below(40));
        overlay.Put(key, value, 0);
        model[key] = value;
      }
    }
    table.Fold(overlay);
    if (random.OneIn(10)) {
      const std::string key = "key-" + std::to_string(random.Below(200));
      table.EraseBefore(key);
      model.erase(model.begin(), model.lower_bound(key));
    }
    ASSERT_EQ(table.size(), model.size());
    EXPECT_GE(table.bytes(), LeastBytes(model));
    for (const auto& [key, value] : model) {
      ASSERT_NE(table.Find(key), nullptr) << key;
      ASSERT_EQ(*table.Find(key), value);
    }
  }
  for (const auto& row : model) table.Put(row.first, std::nullopt);
  EXPECT_EQ(table.bytes(), 0u);
  EXPECT_EQ(table.size(), 0u);
}

TEST(MemoryTable, IteratesWithinItsBounds) {
  MemoryTable table;
  for (const char* key : {"a", "b", "c", "d"}) table.Put(key, key);
  const auto walk = [&table](std::optional<std::string_view> from, std::optional<std::string_view> to,
                             bool reverse) {
    std::string keys;
    const auto rows = table.NewIterator(from, to);
    for (reverse ? rows->SeekToLast() : rows->SeekToFirst(); rows->Valid();
         reverse ? rows->Prev() : rows->Next()) {
      keys += rows->key().ToString();
    }
    return keys;
  };
  EXPECT_EQ(walk(std::nullopt, std::nullopt, false), "abcd");
  EXPECT_EQ(walk("b", "d", false), "bc");
  EXPECT_EQ(walk("b", "d", true), "cb");
  EXPECT_EQ(walk("bb", std::nullopt, true), "dc");
  EXPECT_EQ(walk("d", "b", false), "");
  EXPECT_EQ(walk("d", "b", true), "");
  EXPECT_EQ(walk("x", std::nullopt, true), "");
}

}  // namespace
}  // namespace weir
