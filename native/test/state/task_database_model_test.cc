#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "state/task_database.h"
#include "test/state/task_database_support.h"

namespace weir {
namespace {

std::optional<std::string> RandomBound(Random& random) {
  return random.OneIn(3) ? std::nullopt : std::optional(RandomKey(random));
}

std::vector<std::pair<std::string, std::string>> Range(const Model& model,
                                                       const std::optional<std::string>& from,
                                                       const std::optional<std::string>& to, bool reverse) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& row : model) {
    if (from.has_value() && row.first < *from) continue;
    if (to.has_value() && row.first >= *to) continue;
    rows.push_back(row);
  }
  if (reverse) std::reverse(rows.begin(), rows.end());
  return rows;
}

void CheckMultiGet(TaskDatabase& database, size_t store, const Model& model, Random& random, size_t count) {
  std::string arena;
  std::vector<std::string> keys;
  std::vector<int32_t> columns(4 * count, -7);
  const RowColumns rows(columns.data(), count);
  for (size_t i = 0; i < count; i++) {
    keys.push_back(random.OneIn(3) && !keys.empty() ? keys[random.Below(keys.size())] : RandomKey(random));
    rows.key_start[i] = static_cast<int32_t>(arena.size());
    rows.key_length[i] = static_cast<int32_t>(keys.back().size());
    arena += keys.back();
  }
  Result<std::shared_ptr<MultiGet>> multi_get = database.NewMultiGet(store, arena, rows, count);
  ASSERT_TRUE(multi_get.ok()) << multi_get.status().message();
  if (multi_get.value()->needs_run()) ASSERT_OK(multi_get.value()->Run());
  const ByteBlock& block = multi_get.value()->rows();
  for (size_t i = 0; i < count; i++) {
    const auto expected = model.find(keys[i]);
    if (expected == model.end()) {
      EXPECT_EQ(rows.value_length[i], -1) << keys[i];
      continue;
    }
    ASSERT_EQ(rows.value_length[i], static_cast<int32_t>(expected->second.size())) << keys[i];
    ASSERT_LE(static_cast<size_t>(rows.value_start[i] + rows.value_length[i]), block.size());
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(block.data()) + rows.value_start[i],
                          expected->second.size()),
              expected->second);
  }
}

// Brings the logged stores of an in-memory database back from their changelogs.
void RestoreFromLogs(Tested& tested) {
  for (size_t store = 0; store < 2; store++) {
    EXPECT_EQ(tested.database->Offsets()[store].offset, -1);
    ASSERT_OK(tested.database->ClearStore(store));
    int64_t next = 0;
    for (const RecordingSink::Record& record : tested.sink->log(store)) {
      const auto value =
          record.value.has_value() ? std::optional<std::string_view>(*record.value) : std::nullopt;
      ASSERT_OK(tested.database->WriteRestored(store, {{record.key, value, record.timestamp_ms}}, ++next));
    }
  }
  tested.committed[2].clear();
}

// Brings an opened database to the end of its changelogs, as the runtime does.
void CatchUp(Tested& tested) {
  for (size_t store = 0; store < 2; store++) {
    const auto& log = tested.sink->log(store);
    const auto from = static_cast<size_t>(std::max<int64_t>(0, tested.database->Offsets()[store].offset));
    ASSERT_LE(from, log.size());
    for (size_t at = from; at < log.size(); at++) {
      const auto value =
          log[at].value.has_value() ? std::optional<std::string_view>(*log[at].value) : std::nullopt;
      ASSERT_OK(tested.database->WriteRestored(store, {{log[at].key, value, log[at].timestamp_ms}},
                                               static_cast<int64_t>(at) + 1));
    }
  }
}

enum class Rows { kWritten, kKept, kInMemory };

void AgreesWithAModel(Rows where) {
  const bool in_memory = where == Rows::kInMemory;
  Random random;
  TemporaryFolder folder;
  StateMemoryOptions memory_options = SmallMemory();
  // About half of the commits leave more than this.
  if (where == Rows::kKept) memory_options.kept_bytes_max = 15'000;
  const auto memory = AcquireMemory(memory_options);
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  for (StoreSettings& store : options.stores) store.in_memory = in_memory;
  Tested tested{OpenDatabase(memory, options)};
  std::array<size_t, 2> committed_log{};
  int kept = 0;
  int written = 0;
  for (int step = 0; step < 3000 && !::testing::Test::HasFailure(); step++) {
    const size_t store = random.Below(3);
    switch (random.Below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        tested.ChangeSome(random);
        break;
      case 4:
      case 5:
        for (int i = 0; i < 20; i++) {
          const std::string key = RandomKey(random);
          const auto expected = tested.now[store].find(key);
          EXPECT_EQ(GetOne(*tested.database, store, key),
                    expected == tested.now[store].end() ? std::nullopt : std::optional(expected->second));
        }
        break;
      case 6:
        CheckMultiGet(*tested.database, store, tested.now[store], random, 1 + random.Below(200));
        break;
      case 7: {
        const auto from = RandomBound(random);
        const auto to = RandomBound(random);
        const bool reverse = random.OneIn(2);
        auto scan = tested.database->NewScan(store, from, to, reverse);
        ASSERT_TRUE(scan.ok());
        EXPECT_EQ(ReadScan(*scan.value(), 1 + random.Below(20), 1 + random.Below(300)),
                  Range(tested.now[store], from, to, reverse));
        break;
      }
      case 8: {
        // Changes in the middle of a scan: those ahead of it are seen, those behind it are not.
        const bool reverse = random.OneIn(2);
        auto scan = tested.database->NewScan(store, std::nullopt, std::nullopt, reverse);
        ASSERT_TRUE(scan.ok());
        auto rows = ReadScan(*scan.value(), 1 + random.Below(5), 300, random.Below(40));
        const bool started = !rows.empty();
        const std::string reached = started ? rows.back().first : "";
        tested.ChangeSome(random);
        const auto rest = ReadScan(*scan.value(), 1 + random.Below(5), 300);
        Model ahead;
        for (const auto& row : tested.now[store]) {
          if (!started || (reverse ? row.first < reached : row.first > reached)) ahead.insert(row);
        }
        EXPECT_EQ(rest, Range(ahead, std::nullopt, std::nullopt, reverse));
        break;
      }
      case 9: {
        ASSERT_OK(CommitAll(*tested.database, tested.sink));
        tested.committed = tested.now;
        for (size_t log = 0; log < 2; log++) committed_log[log] = tested.sink->log(log).size();
        (tested.database->Offsets()[0].offset < static_cast<int64_t>(committed_log[0]) ? kept : written)++;
        EXPECT_EQ(GetOne(*tested.database, store, "user-1").has_value(),
                  tested.now[store].count("user-1") == 1);
        break;
      }
      case 10:
        if (random.OneIn(2)) {
          ASSERT_TRUE(DrainOnly(*tested.database, tested.sink).ok());
        }
        // A drained batch may have reached the changelog; it is the runtime's to restore then. Here the log
        // is cut back.
        ASSERT_OK(tested.database->Discard());
        tested.now = tested.committed;
        for (size_t log = 0; log < 2; log++) tested.sink->log(log).resize(committed_log[log]);
        if (where != Rows::kKept) break;
        tested.database->BeginClose();
        ASSERT_OK(tested.database->Close());
        tested.database = OpenDatabase(memory, options);
        CatchUp(tested);
        break;
      default:
        if (!random.OneIn(8)) break;
        if (random.OneIn(2)) {
          tested.database->BeginClose();
          ASSERT_OK(tested.database->Close());
        }
        // Without a commit the changes since the last one are gone.
        tested.database.reset();
        EXPECT_EQ(memory->Usage().in_memory_bytes, 0u);
        tested.database = OpenDatabase(memory, options);
        ASSERT_NE(tested.database, nullptr);
        if (in_memory) RestoreFromLogs(tested);
        if (where == Rows::kKept) CatchUp(tested);
        tested.now = tested.committed;
        {
          const auto offsets = tested.database->Offsets();
          for (size_t log = 0; log < 2; log++) {
            const auto logged = static_cast<int64_t>(tested.sink->log(log).size());
            EXPECT_EQ(offsets[log].offset, logged == 0 ? -1 : logged);
          }
        }
    }
  }
  if (where == Rows::kKept) {
    EXPECT_GT(std::min(kept, written), 20) << kept << " " << written;
  }
  for (size_t store = 0; store < 3; store++)
    EXPECT_EQ(ScanAll(tested.database, store), RowsOf(tested.now[store]));
  ASSERT_OK(CommitAll(*tested.database, tested.sink));
  EXPECT_EQ(Replay(tested.sink->log(0), static_cast<int64_t>(tested.sink->log(0).size()), false),
            tested.now[0]);
  EXPECT_EQ(Replay(tested.sink->log(1), static_cast<int64_t>(tested.sink->log(1).size()), true),
            tested.now[1]);
  for (size_t store = 0; store < 3; store++)
    EXPECT_EQ(ScanAll(tested.database, store), RowsOf(tested.now[store]));
  EXPECT_EQ(memory->Usage().in_memory_bytes > 0, in_memory);
  ASSERT_OK(tested.database->Flush());
  const Result<uint64_t> on_disk = tested.database->Property("rocksdb.estimate-num-keys");
  ASSERT_TRUE(on_disk.ok());
  // It may be 0 for few rows after many deletions.
  if (in_memory) {
    EXPECT_EQ(on_disk.value(), 0u);
  }
}

TEST(TaskDatabase, AgreesWithAModelUnderRandomOperations) { AgreesWithAModel(Rows::kWritten); }

TEST(KeptRows, AgreeWithAModelUnderRandomOperations) { AgreesWithAModel(Rows::kKept); }

TEST(TaskDatabase, InMemoryStoresAgreeWithAModelUnderRandomOperations) { AgreesWithAModel(Rows::kInMemory); }

}  // namespace
}  // namespace weir
