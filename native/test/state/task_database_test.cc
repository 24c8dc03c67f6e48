#include "state/task_database.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "test/state/state_support.h"

namespace weir {
namespace {

// Keys from a small set, so that they meet again, with shared prefixes and the bytes at both ends.
std::string RandomKey(Random& random) {
  std::string key = random.OneIn(3) ? std::string("user-") : std::string();
  const size_t length = random.Below(3);
  for (size_t i = 0; i < length; i++)
    key.push_back(
        "\x00\x01"
        "ab"
        "\xff"[random.Below(5)]);
  return key + std::to_string(random.Below(60));
}

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

void AgreesWithAModel(bool in_memory) {
  Random random;
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  for (StoreSettings& store : options.stores) store.in_memory = in_memory;
  Tested tested{OpenDatabase(memory, options)};
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
        {
          const auto offsets = tested.database->Offsets();
          for (size_t log = 0; log < 2; log++) {
            tested.sink->log(log).resize(static_cast<size_t>(std::max<int64_t>(0, offsets[log].offset)));
          }
        }
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

TEST(TaskDatabase, AgreesWithAModelUnderRandomOperations) { AgreesWithAModel(/*in_memory=*/false); }

TEST(TaskDatabase, InMemoryStoresAgreeWithAModelUnderRandomOperations) {
  AgreesWithAModel(/*in_memory=*/true);
}

TEST(TaskDatabase, TheChangelogGetsEachKeyOncePerCommitInOrder) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "b", "1", 10));
  ASSERT_OK(PutOne(*database, 0, "a", "2", 11));
  ASSERT_OK(PutOne(*database, 0, "b", "3", 12));
  ASSERT_OK(PutOne(*database, 0, "c", std::nullopt, 13));
  ASSERT_OK(PutOne(*database, 1, "k", TimestampBytes(77) + "value", 77));
  ASSERT_OK(PutOne(*database, 2, "unlogged", "x"));
  const Result<DrainTotals> drained = DrainOnly(*database, sink);
  ASSERT_TRUE(drained.ok()) << drained.status().message();
  EXPECT_EQ(drained.value().records, 4);
  EXPECT_EQ(drained.value().bytes, 2 + 2 + 1 + 6);
  ASSERT_EQ(sink->log(0).size(), 3u);
  EXPECT_EQ(sink->log(0)[0].key, "a");
  EXPECT_EQ(sink->log(0)[1].value, "3");
  EXPECT_EQ(sink->log(0)[1].timestamp_ms, 12);
  EXPECT_EQ(sink->log(0)[2].value, std::nullopt);
  ASSERT_EQ(sink->log(1).size(), 1u);
  EXPECT_EQ(sink->log(1)[0].value, "value");
  EXPECT_EQ(sink->log(1)[0].timestamp_ms, 77);
  // Between drain and commit, reads see the changes and writes are refused.
  EXPECT_EQ(GetOne(*database, 0, "b"), "3");
  EXPECT_EQ(PutOne(*database, 0, "d", "4").code(), "invalid");
  ASSERT_OK(database->BeginCommit());
  ASSERT_OK(database->Commit());
  EXPECT_EQ(GetOne(*database, 0, "b"), "3");
  EXPECT_EQ(database->Offsets()[0].offset, 3);
  EXPECT_EQ(database->Offsets()[1].offset, 1);
  EXPECT_EQ(database->Offsets()[2].offset, -1);
  EXPECT_EQ(AcquireMemory()->Usage().overlay_bytes, 0u);
}

TEST(TaskDatabase, HeadersGoWithTheValuesOfOneStore) {
  TemporaryFolder folder;
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  options.stores[0].changelog_headers = "headers";
  const auto database = OpenDatabase(AcquireMemory(), options);
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "a", "1", 10));
  ASSERT_OK(PutOne(*database, 0, "b", std::nullopt, 11));
  ASSERT_OK(PutOne(*database, 1, "k", TimestampBytes(77) + "value", 77));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_EQ(sink->log(0).size(), 2u);
  EXPECT_EQ(sink->log(0)[0].headers, "headers");
  EXPECT_EQ(sink->log(0)[1].headers, "");
  EXPECT_EQ(sink->log(1)[0].headers, "");
}

TEST(TaskDatabase, ACommitNeedsADrain) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  EXPECT_EQ(database->BeginCommit().code(), "invalid");
}

TEST(TaskDatabase, ADeliveryErrorStopsTheDrainAndNothingIsWritten) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  for (int i = 0; i < 100; i++) ASSERT_OK(PutOne(*database, 0, std::to_string(i), "x"));
  sink->FailAfter(10);
  EXPECT_EQ(DrainOnly(*database, sink).status().code(), "kafka:_TIMED_OUT");
  EXPECT_EQ(database->BeginCommit().code(), "invalid");
  sink->FailAfter(-1);
  sink->SetError(Status("kafka:MSG_SIZE_TOO_LARGE", "too large"));
  EXPECT_EQ(DrainOnly(*database, sink).status().code(), "kafka:MSG_SIZE_TOO_LARGE");
  EXPECT_EQ(GetOne(*database, 0, "1"), "x");
  database.reset();
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_TRUE(ScanAll(database, 0).empty());
  EXPECT_EQ(database->Offsets()[0].offset, -1);
}

TEST(TaskDatabase, AScanBeginsAnewAtOtherRanges) {
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

TEST(TaskDatabase, AScanEndsWithDrainCommitDiscardAndClose) {
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

TEST(TaskDatabase, LargeMultiGetsAreSplitAndAgree) {
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

TEST(TaskDatabase, WrongPositionsAreRefused) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const double timestamp = 0;
  for (const std::vector<int32_t>& columns :
       std::vector<std::vector<int32_t>>{{0, 11, 0, 0},
                                         {-1, 2, 0, 0},
                                         {0, -1, 0, 0},
                                         {0, 1, 5, 6},
                                         {0, 1, -1, 1},
                                         {INT32_MAX, INT32_MAX, 0, 0}}) {
    std::vector<int32_t> copy = columns;
    EXPECT_EQ(database->Apply(0, "0123456789", RowColumns(copy.data(), 1), &timestamp, 1).status().code(),
              "invalid");
  }
  std::vector<int32_t> no_timestamp = {0, 1, 1, 7};
  EXPECT_EQ(
      database->Apply(1, "0123456789", RowColumns(no_timestamp.data(), 1), &timestamp, 1).status().code(),
      "invalid");
  EXPECT_EQ(PutOne(*database, 3, "a", "b").code(), "invalid");
}

// State and offset after a crash come from the same write: replaying the changelog up to the offset gives
// exactly the rows.
void ExpectConsistent(const std::shared_ptr<TaskDatabase>& database, const RecordingSink& sink) {
  const std::vector<StoreOffset> offsets = database->Offsets();
  for (size_t store = 0; store < 2; store++) {
    ASSERT_LE(offsets[store].offset, static_cast<int64_t>(sink.log(store).size()));
    EXPECT_EQ(ScanAll(database, store),
              RowsOf(Replay(sink.log(store), std::max<int64_t>(0, offsets[store].offset), store == 1)));
  }
}

TEST(TaskDatabase, AfterACrashStateAndOffsetBelongTogether) {
  Random random;
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  Tested tested;
  int64_t recovered = 0;
  for (int round = 0; round < 30 && !::testing::Test::HasFailure(); round++) {
    tested.database = OpenDatabase(memory, ThreeStores(folder / "db"));
    ASSERT_NE(tested.database, nullptr);
    ExpectConsistent(tested.database, *tested.sink);
    // Restores the rest, as the runtime does.
    for (size_t store = 0; store < 2; store++) {
      const auto& log = tested.sink->log(store);
      for (int64_t at = std::max<int64_t>(0, tested.database->Offsets()[store].offset);
           at < static_cast<int64_t>(log.size()); at++) {
        const RecordingSink::Record& record = log[static_cast<size_t>(at)];
        ASSERT_OK(tested.database->WriteRestored(
            store,
            {{record.key,
              record.value.has_value() ? std::optional<std::string_view>(*record.value) : std::nullopt,
              record.timestamp_ms}},
            at + 1));
      }
      tested.now[store] = Replay(log, static_cast<int64_t>(log.size()), store == 1);
      EXPECT_EQ(ScanAll(tested.database, store), RowsOf(tested.now[store]));
    }
    for (size_t commits = random.Below(6); commits > 0; commits--) {
      tested.ChangeSome(random);
      tested.ChangeSome(random);
      ASSERT_OK(CommitAll(*tested.database, tested.sink));
      if (random.OneIn(3)) ASSERT_OK(tested.database->Flush());
    }
    if (random.OneIn(2)) tested.ChangeSome(random);
    recovered += std::max<int64_t>(0, tested.database->Offsets()[0].offset);
    tested.database->BeginClose();
    ASSERT_OK(tested.database->CloseAsAfterCrash());
    tested.database.reset();
  }
  EXPECT_GT(recovered, 0);
}

// The same with a process that is really killed, while another thread flushes. The child's changelog is a
// file.
void CommitUntilKilled(const std::string& folder) {
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder + "/db"));
  const auto sink = ThreeStoresSink();
  std::ofstream log(folder + "/log", std::ios::app | std::ios::binary);
  std::thread flusher([&database] {
    for (int i = 0;; i++) {
      if (!database->Flush().ok()) abort();
    }
  });
  std::thread killer([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    kill(getpid(), SIGKILL);
  });
  for (int i = 0;; i++) {
    const std::string key = std::to_string(i % 50);
    const std::string value = std::to_string(i);
    if (!PutOne(*database, 0, key, value).ok() ||
        !PutOne(*database, 1, key, TimestampBytes(i) + value, i).ok())
      abort();
    // What is written to the file survives a SIGKILL.
    log << key << ' ' << value << '\n' << std::flush;
    if (!CommitAll(*database, sink).ok()) abort();
  }
}

TEST(TaskDatabaseDeathTest, AKilledProcessLeavesStateAndOffsetTogether) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  // The child runs the test anew up to the statement below, so the folder's name comes from the environment.
  if (getenv("WEIR_TEST_KILL_FOLDER") == nullptr) {
    std::string name = std::filesystem::temp_directory_path() / "weir-test-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    setenv("WEIR_TEST_KILL_FOLDER", name.c_str(), 1);
  }
  const std::string folder = getenv("WEIR_TEST_KILL_FOLDER");
  EXPECT_EXIT(CommitUntilKilled(folder), ::testing::KilledBySignal(SIGKILL), "");
  unsetenv("WEIR_TEST_KILL_FOLDER");

  const auto sink = ThreeStoresSink();
  std::ifstream log(folder + "/log");
  std::string key;
  std::string value;
  for (int64_t i = 0; log >> key >> value; i++) {
    sink->log(0).push_back({key, value, 0});
    sink->log(1).push_back({key, value, i});
  }
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder + "/db"));
  ASSERT_NE(database, nullptr);
  EXPECT_GT(sink->log(0).size(), 10u);
  ExpectConsistent(database, *sink);
  // Both stores' rows are in one write, so they never differ.
  EXPECT_EQ(database->Offsets()[0].offset, database->Offsets()[1].offset);
  database.reset();
  std::filesystem::remove_all(folder);
}

TEST(TaskDatabase, ClearStoreRemovesRowsAndOffset) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto sink = ThreeStoresSink();
  for (int i = 0; i < 1000; i++) {
    ASSERT_OK(PutOne(*database, 0, std::to_string(i), "x"));
    ASSERT_OK(PutOne(*database, 2, std::to_string(i), "y"));
  }
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_OK(database->ClearStore(0));
  EXPECT_TRUE(ScanAll(database, 0).empty());
  EXPECT_EQ(ScanAll(database, 2).size(), 1000u);
  EXPECT_EQ(database->Offsets()[0].offset, -1);
  // What a crash right here leaves is the same.
  database->BeginClose();
  ASSERT_OK(database->CloseAsAfterCrash());
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_TRUE(ScanAll(database, 0).empty());
  EXPECT_EQ(database->Offsets()[0].offset, -1);
  EXPECT_EQ(ScanAll(database, 2).size(), 1000u);
  ASSERT_OK(database->WriteRestored(0, {{"a", "1", 5}}, 1));
  EXPECT_EQ(ScanAll(database, 0), (std::vector<std::pair<std::string, std::string>>{{"a", "1"}}));
}

TEST(TaskDatabase, TopicIdsAreWrittenWithTheOffsets) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  ASSERT_OK(database->SetTopicId("plain", "topic-uuid"));
  EXPECT_EQ(database->SetTopicId("nobody", "x").code(), "invalid");
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  database.reset();
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  EXPECT_EQ(database->Offsets()[0].topic_id, "topic-uuid");
  EXPECT_EQ(database->Offsets()[0].offset, 1);
  EXPECT_GT(database->Offsets()[0].written_at_ms, 1'500'000'000'000);
  EXPECT_EQ(database->Offsets()[1].topic_id, "");
}

TEST(TaskDatabase, StoresComeAndGo) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  auto database = OpenDatabase(memory, options);
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(PutOne(*database, 2, "b", "2"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  database.reset();
  TaskDatabaseOptions other = options;
  other.stores = {{"fresh", false, std::nullopt}, options.stores[2]};
  database = OpenDatabase(memory, other);
  EXPECT_TRUE(ScanAll(database, 0).empty());
  EXPECT_EQ(GetOne(*database, 1, "b"), "2");
  database.reset();
  database = OpenDatabase(memory, options);
  EXPECT_EQ(GetOne(*database, 0, "a"), "1");
}

TEST(TaskDatabase, FlushesAfterSoManyRecords) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  options.flush_every_records = 100;
  auto database = OpenDatabase(memory, options);
  const auto sink = ThreeStoresSink();
  for (int i = 0; i < 250; i++) {
    ASSERT_OK(PutOne(*database, 0, std::to_string(i), "x"));
    if (i % 10 == 9) ASSERT_OK(CommitAll(*database, sink));
  }
  // The flushes were asked for, not waited for; closing without one waits for those that run.
  database->BeginClose();
  while (database->Property("rocksdb.num-immutable-mem-table").value() > 0) std::this_thread::yield();
  ASSERT_OK(database->CloseAsAfterCrash());
  database = OpenDatabase(memory, options);
  EXPECT_GE(database->Offsets()[0].offset, 200);
  ExpectConsistent(database, *sink);
}

TEST(TaskDatabase, AQuietDatabaseIsFlushedInTime) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  options.flush_interval_ms = 20;
  auto database = OpenDatabase(memory, options);
  const auto sink = ThreeStoresSink();
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, sink));
  // Nothing else comes.
  while (database->Property("rocksdb.live-sst-files-size").value() == 0) std::this_thread::yield();
  database->BeginClose();
  ASSERT_OK(database->CloseAsAfterCrash());
  database = OpenDatabase(memory, options);
  EXPECT_EQ(GetOne(*database, 0, "a"), "1");
  EXPECT_EQ(database->Offsets()[0].offset, 1);
}

TEST(TaskDatabase, ARestoreThatHasNotEndedIsAsOldAsItsBegin) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto age_after_a_pause = [&database] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return database->Offsets()[0].written_at_ms;
  };
  ASSERT_OK(database->ClearStore(0));
  const int64_t begin = age_after_a_pause();
  database->BeginRestore(0);
  ASSERT_OK(database->WriteRestored(0, {{"a", "1", 1}}, 7));
  EXPECT_EQ(age_after_a_pause(), begin);
  EXPECT_EQ(database->Offsets()[0].offset, 7);
  // Also when another life goes on with it.
  ASSERT_OK(database->Close());
  database = OpenDatabase(memory, ThreeStores(folder / "db"));
  database->BeginRestore(0);
  ASSERT_OK(database->WriteRestored(0, {{"b", "2", 1}}, 9));
  EXPECT_EQ(age_after_a_pause(), begin);
  database->EndRestore(0);
  ASSERT_OK(database->WriteRestored(0, {}, 9));
  EXPECT_GT(age_after_a_pause(), begin);
  // Begun anew, it is as young as that.
  const int64_t end = age_after_a_pause();
  database->BeginRestore(0);
  ASSERT_OK(database->ClearStore(0));
  EXPECT_GT(age_after_a_pause(), end);
}

TEST(TaskDatabase, AFolderInUseIsNamed) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  const auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto second = TaskDatabase::Open(memory, ThreeStores(folder / "db"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), "rocksdb:Busy");
  EXPECT_NE(second.status().message().find(folder / "db"), std::string::npos);
}

TEST(TaskDatabase, ADamagedDatabaseIsCorruption) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  database.reset();
  for (const auto& file : std::filesystem::directory_iterator(folder / "db")) {
    if (file.path().filename().string().rfind("MANIFEST", 0) == 0) {
      std::ofstream(file.path(), std::ios::binary | std::ios::trunc)
          << "this is not a manifest, but long enough to be read as one";
    }
  }
  EXPECT_EQ(TaskDatabase::Open(memory, ThreeStores(folder / "db")).status().code(), "rocksdb:Corruption");
}

TEST(TaskDatabase, AMissingFileIsCoded) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  database.reset();
  for (const auto& file : std::filesystem::directory_iterator(folder / "db")) {
    if (file.path().extension() == ".sst") std::filesystem::remove(file.path());
  }
  const auto opened = TaskDatabase::Open(memory, ThreeStores(folder / "db"));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), "rocksdb:Corruption");
}

TEST(TaskDatabase, RowsWithoutACurrentFileAreNotForgotten) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  database.reset();
  std::filesystem::remove(folder / "db" + "/CURRENT");
  EXPECT_EQ(TaskDatabase::Open(memory, ThreeStores(folder / "db")).status().code(), "rocksdb:Corruption");
}

TEST(TaskDatabase, AFolderThatCannotBeMadeIsCoded) {
  TemporaryFolder folder;
  std::ofstream(folder / "file") << "x";
  const auto opened = TaskDatabase::Open(AcquireMemory(), ThreeStores(folder / "file" + "/db"));
  EXPECT_EQ(opened.status().code(), "rocksdb:IOError");
}

TEST(TaskDatabase, OptionsCanBeOverridden) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  options.rocksdb = {{"compression", "kNoCompression"}, {"write_buffer_size", "1048576"}};
  EXPECT_NE(OpenDatabase(memory, options), nullptr);
  options.rocksdb = {{"no_such_option", "1"}};
  const auto refused = TaskDatabase::Open(memory, options);
  EXPECT_EQ(refused.status().code(), "invalid");
  EXPECT_NE(refused.status().message().find("no_such_option"), std::string::npos);
}

TEST(TaskDatabase, Properties) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  for (int i = 0; i < 10; i++)
    ASSERT_OK(PutOne(*database, static_cast<size_t>(i % 3), std::to_string(i), TimestampBytes(0)));
  EXPECT_EQ(database->Property("weir.overlay-entries").value(), 10u);
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  // Two offsets beside the ten rows.
  EXPECT_EQ(database->Property("rocksdb.estimate-num-keys").value(), 12u);
  EXPECT_EQ(database->Property("rocksdb.nonsense").status().code(), "invalid");
}

}  // namespace
}  // namespace weir
