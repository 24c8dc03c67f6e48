#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "state/task_database.h"
#include "test/state/task_database_support.h"

namespace weir {
namespace {

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

}  // namespace
}  // namespace weir
