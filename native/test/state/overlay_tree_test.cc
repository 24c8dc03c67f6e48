#include "state/overlay_tree.h"

#include <gtest/gtest.h>

#include <functional>
#include <iterator>
#include <set>
#include <string>

#include "test/test_support.h"

namespace weir {
namespace {

std::string Number(int number) {
  std::string digits = std::to_string(number);
  return "the same prefix " + std::string(8 - digits.size(), '0') + digits;
}

// What keys of a 1:N join look like: of one owner, then by a number.
std::string Owned(size_t owner, size_t number) {
  return "owner-" + std::to_string(owner) + "/" + Number(static_cast<int>(number)).substr(16);
}

// A key that is there, or one beside it: shorter, longer, or with another byte.
std::string Near(std::string key, Random* random) {
  if (random->OneIn(4)) key.resize(random->Below(key.size() + 1));
  if (random->OneIn(4)) key += random->Bytes(1);
  if (random->OneIn(4) && !key.empty()) key[random->Below(key.size())] ^= 1;
  return key;
}

// Both walks, every bound at keys that are there, and at keys that are not.
void ExpectSame(const OverlayTree& tree, const std::set<std::string>& model, Random* random) {
  ASSERT_EQ(tree.size(), model.size());
  auto at = tree.begin();
  for (const std::string& key : model) {
    ASSERT_TRUE(at != tree.end());
    ASSERT_EQ(at->key.bytes, key);
    ++at;
  }
  EXPECT_TRUE(at == tree.end());
  for (auto expected = model.rbegin(); expected != model.rend(); ++expected) {
    --at;
    ASSERT_EQ(at->key.bytes, *expected);
  }
  EXPECT_TRUE(at == tree.begin());

  const auto expect_at = [&](OverlayTree::Iterator found, std::set<std::string>::const_iterator expected) {
    ASSERT_EQ(found == tree.end(), expected == model.end());
    if (expected != model.end()) {
      ASSERT_EQ(found->key.bytes, *expected);
    }
  };
  for (int i = 0; i < 2000; i++) {
    std::string key = random->Bytes(random->Below(6));
    if (random->OneIn(2) && !model.empty()) {
      const auto near = model.lower_bound(key);
      if (near != model.end()) key = *near;
    }
    if (random->OneIn(2) && !model.empty()) {
      // Any row: keys with much in common are all on one side of random bytes.
      const std::string any =
          random->OneIn(2) ? Number(static_cast<int>(random->Below(60'000))) : Owned(random->Below(300), 0);
      const auto at = tree.LowerBound(any);
      if (at != tree.end()) key = Near(std::string(at->key.bytes), random);
    }
    expect_at(tree.LowerBound(key), model.lower_bound(key));
    expect_at(tree.UpperBound(key), model.upper_bound(key));
    const OverlayTree::Entry* const found = tree.Find(key);
    ASSERT_EQ(found != nullptr, model.count(key) == 1);
    if (found != nullptr) {
      ASSERT_EQ(found->key.bytes, key);
    }
  }
}

TEST(OverlayTree, IsEqualToASetWhateverTheOrderOfInsertion) {
  Random random;
  constexpr int kRows = 60'000;  // three levels of branches
  const std::function<std::string(int)> orders[] = {
      [&](int) { return random.Bytes(3 + random.Below(4)); },
      [&](int) { return Number(static_cast<int>(random.Below(kRows))); },
      [&](int) { return Owned(random.Below(300), random.Below(200)); },
      [](int i) { return Owned(static_cast<size_t>(i) % 300, static_cast<size_t>(i)); },
      [](int i) { return Number(i); },
      [](int i) { return Number(kRows - i); },
      // Ascending here and there in turns.
      [](int i) { return Number(i % 7 * (kRows / 7) + i / 7); },
  };
  for (const auto& key_of : orders) {
    Arena arena;
    OverlayTree tree(&arena);
    std::set<std::string> model;
    ExpectSame(tree, model, &random);
    for (int i = 0; i < kRows; i++) {
      const std::string key = key_of(i);
      OverlayRow& row = tree.Insert(key).row;
      EXPECT_EQ(row.timestamp_ms, model.insert(key).second ? 0 : 1);
      row.timestamp_ms = 1;
      if (i == 20 || i == 1500) ExpectSame(tree, model, &random);
    }
    ExpectSame(tree, model, &random);
  }
}

TEST(OverlayTree, AscendingKeysFillItsLeaves) {
  Arena ascending;
  Arena random_order;
  OverlayTree filled(&ascending);
  OverlayTree halves(&random_order);
  Random random;
  constexpr int kRows = 50'000;
  for (int i = 0; i < kRows; i++) filled.Insert(Number(i));
  while (halves.size() < kRows) halves.Insert(Number(static_cast<int>(random.Below(1'000'000))));
  EXPECT_LT(ascending.used(), random_order.used());
}

}  // namespace
}  // namespace weir
