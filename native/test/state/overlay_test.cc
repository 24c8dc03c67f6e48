#include "state/overlay.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "test/test_support.h"

namespace weir {
namespace {

struct Expected {
  std::optional<std::string> value;
  int64_t timestamp_ms;
};

void ExpectSame(const Overlay& overlay, const std::map<std::string, Expected>& model) {
  ASSERT_EQ(overlay.rows().size(), model.size());
  auto expected = model.begin();
  for (const auto& [key, row] : overlay.rows()) {
    EXPECT_EQ(key.bytes, expected->first);
    EXPECT_EQ(row.deleted, !expected->second.value.has_value());
    if (!row.deleted) {
      EXPECT_EQ(row.value(), *expected->second.value);
    }
    EXPECT_EQ(row.timestamp_ms, expected->second.timestamp_ms);
    ++expected;
  }
}

TEST(Overlay, KeepsTheLastChangeOfEachKeyInByteOrder) {
  Random random;
  Overlay overlay;
  for (int round = 0; round < 20; round++) {
    std::map<std::string, Expected> model;
    const size_t key_length_max = 1 + random.Below(12);
    for (int i = 0; i < 3000; i++) {
      // Few distinct bytes, so that keys meet again and share prefixes; 0x00 and 0xff among them.
      std::string key = random.Bytes(random.Below(key_length_max + 1));
      for (char& byte : key) byte = "\x00\x01\x7f\x80\xff"[static_cast<uint8_t>(byte) % 5];
      const std::optional<std::string> value =
          random.OneIn(4) ? std::nullopt : std::optional(random.Bytes(random.Below(200)));
      overlay.Put(key, value.has_value() ? std::optional<std::string_view>(*value) : std::nullopt, i);
      model[key] = {value, i};
    }
    ExpectSame(overlay, model);
    for (const auto& [key, expected] : model) {
      const Overlay::Row* const row = overlay.Find(key);
      ASSERT_NE(row, nullptr);
      EXPECT_EQ(row->timestamp_ms, expected.timestamp_ms);
    }
    EXPECT_EQ(overlay.Find("no such key, and longer than all"), nullptr);
    overlay.Clear();
    EXPECT_TRUE(overlay.empty());
  }
}

TEST(Overlay, AscendingKeysAndRepeats) {
  Overlay overlay;
  std::map<std::string, Expected> model;
  for (int pass = 0; pass < 3; pass++) {
    for (int i = 0; i < 2000; i++) {
      const std::string key = std::to_string(1000000 + i * (pass + 1));
      overlay.Put(key, key, pass);
      model[key] = {key, pass};
    }
  }
  ExpectSame(overlay, model);
}

TEST(Overlay, SortsItsChangesHoweverFewTheyAreAmongItsRows) {
  Random random;
  constexpr size_t kRows = 4000;
  const auto any_key = [&] { return "user-" + std::to_string(random.Below(kRows)); };
  for (const size_t changes : {size_t{0}, size_t{1}, kRows / 20, kRows / 8, kRows / 2, 3 * kRows}) {
    Overlay overlay;
    for (size_t i = 0; i < kRows; i++) overlay.Put(any_key(), "kept", 0);
    overlay.KeepChanges();
    EXPECT_TRUE(overlay.SortedChanges().empty());
    std::map<std::string, Expected> model;
    for (size_t i = 0; i < changes; i++) {
      const std::string key = any_key();
      overlay.Put(key, key, 1);
      model[key] = {key, 1};
    }
    ASSERT_EQ(overlay.SortedChanges().size(), model.size());
    auto expected = model.begin();
    for (const Overlay::Entry* const entry : overlay.SortedChanges()) {
      EXPECT_EQ(entry->key.bytes, expected->first);
      EXPECT_EQ(entry->row.value(), expected->first);
      ++expected;
    }
    EXPECT_EQ(overlay.changed_count(), model.size());
  }
}

TEST(Overlay, ARowThatFitsIsWrittenOverTheOldOne) {
  Overlay overlay;
  overlay.Put("key", "0123456789", 1);
  const size_t bytes = overlay.bytes();
  for (int i = 0; i < 100; i++) overlay.Put("key", std::string(static_cast<size_t>(i % 11), 'x'), i);
  overlay.Put("key", std::nullopt, 7);
  overlay.Put("key", "9876543210", 8);
  EXPECT_EQ(overlay.bytes(), bytes);
  EXPECT_EQ(overlay.Find("key")->value(), "9876543210");
}

TEST(Overlay, CountsItsBytes) {
  Overlay overlay;
  const size_t empty = overlay.bytes();
  for (int i = 0; i < 1000; i++) overlay.Put(std::to_string(i), std::string(100, 'v'), 0);
  EXPECT_GE(overlay.bytes(), 1000u * 100);
  EXPECT_LE(overlay.bytes(), 1000u * 300);
  overlay.Clear();
  EXPECT_EQ(overlay.bytes(), empty);
}

}  // namespace
}  // namespace weir
