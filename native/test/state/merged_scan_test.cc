#include "state/merged_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "test/state/state_support.h"

namespace weir {
namespace {

TEST(MergedScan, BeginsAnewAtOtherRanges) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  std::map<std::string, std::string> model;
  Random random;
  const auto key = [&] { return "key" + std::to_string(random.Below(1000)); };
  // The first rows are in a file of several blocks, the next in a memtable, the last in the overlay.
  for (int layer = 0; layer < 3; layer++) {
    for (int i = 0; i < 400; i++) {
      const std::string changed = key();
      model[changed] = std::string(100, static_cast<char>('a' + layer)) + std::to_string(i);
      ASSERT_TRUE(PutOne(*database, 0, changed, model[changed]).ok());
    }
    if (layer == 2) break;
    ASSERT_TRUE(DrainOnly(*database, sink).ok());
    ASSERT_OK(database->BeginCommit());
    ASSERT_OK(database->Commit());
    if (layer == 0) {
      ASSERT_OK(database->Flush());
    }
  }
  const auto scan = database->NewScan(0, std::nullopt, std::nullopt, false).value();
  std::string out(1 << 20, '\0');
  std::vector<int32_t> columns(4 * 1000);
  for (int i = 0; i < 500; i++) {
    const std::string from = key();
    const std::string to = key();
    const bool has_from = !random.OneIn(8);
    const bool has_to = !random.OneIn(8);
    const bool reverse = random.OneIn(2);
    ASSERT_TRUE(scan->Begin(has_from ? std::optional<std::string_view>(from) : std::nullopt,
                            has_to ? std::optional<std::string_view>(to) : std::nullopt, reverse));
    std::vector<std::string> expected;
    for (const auto& [row_key, value] : model)
      if ((!has_from || row_key >= from) && (!has_to || row_key < to)) expected.push_back(row_key + value);
    if (reverse) std::reverse(expected.begin(), expected.end());
    // A third of them are left before their end.
    const size_t capacity = random.OneIn(3) ? 5 : 1000;
    const RowColumns rows(columns.data(), capacity);
    const int64_t count = scan->Next(out.data(), out.size(), rows, capacity).value();
    ASSERT_EQ(count, static_cast<int64_t>(std::min(capacity, expected.size())));
    for (int64_t row = 0; row < count; row++) {
      ASSERT_EQ(out.substr(rows.key_start[row], rows.key_length[row] + rows.value_length[row]),
                expected[row]);
    }
    if (random.OneIn(2)) scan->End();
  }
}

TEST(MergedScan, EndsWithDrainCommitDiscardAndClose) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  std::string out(64, '\0');
  std::vector<int32_t> columns(4);
  const auto open = [&] {
    EXPECT_TRUE(PutOne(*database, 0, "a", "1").ok());
    return database->NewScan(0, std::nullopt, std::nullopt, false).value();
  };
  const auto code = [&](MergedScan& scan) {
    const Result<int64_t> next = scan.Next(out.data(), out.size(), RowColumns(columns.data(), 1), 1);
    return next.ok() ? std::string("rows: ") + std::to_string(next.value()) : next.status().code();
  };
  auto scan = open();
  EXPECT_EQ(code(*scan), "rows: 1");
  ASSERT_TRUE(DrainOnly(*database, sink).ok());
  EXPECT_EQ(code(*scan), "closed");
  scan = database->NewScan(0, std::nullopt, std::nullopt, false).value();
  ASSERT_OK(database->BeginCommit());
  EXPECT_EQ(code(*scan), "closed");
  ASSERT_OK(database->Commit());
  scan = open();
  ASSERT_OK(database->Discard());
  EXPECT_EQ(code(*scan), "closed");
  EXPECT_FALSE(scan->Begin(std::nullopt, std::nullopt, false));
  scan = open();
  scan->End();
  EXPECT_EQ(code(*scan), "closed");
  ASSERT_TRUE(scan->Begin(std::nullopt, std::nullopt, false));
  EXPECT_EQ(code(*scan), "rows: 1");
  database->BeginClose();
  EXPECT_EQ(code(*scan), "closed");
  ASSERT_OK(database->Close());
  EXPECT_EQ(database->Get(0, "a", out.data(), out.size()).status().code(), "closed");
}

}  // namespace
}  // namespace weir
