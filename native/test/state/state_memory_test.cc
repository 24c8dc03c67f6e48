#include "state/state_memory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "test/state/state_support.h"

namespace weir {
namespace {

TEST(StateMemory, IsACountedSingleton) {
  auto first = AcquireMemory();
  auto second = AcquireMemory();
  EXPECT_EQ(first.get(), second.get());
  StateMemoryOptions other = SmallMemory();
  other.read_threads++;
  EXPECT_EQ(StateMemory::Acquire(other).status().code(), "invalid");
  first.reset();
  second.reset();
  EXPECT_NE(AcquireMemory(other), nullptr);
}

TEST(StateMemory, IsAcquiredAndReleasedFromManyThreads) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; thread++) {
    threads.emplace_back([] {
      for (int i = 0; i < 50; i++) EXPECT_NE(AcquireMemory(), nullptr);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(StateMemory, CountsDatabasesAndOverlays) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  const int before = memory->Usage().databases;
  {
    const auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
    EXPECT_EQ(memory->Usage().databases, before + 1);
    ASSERT_OK(PutOne(*database, 0, "key", std::string(10'000, 'x')));
    EXPECT_GE(memory->Usage().overlay_bytes, 10'000u);
  }
  EXPECT_EQ(memory->Usage().databases, before);
  EXPECT_EQ(memory->Usage().overlay_bytes, 0u);
}

// A node's worth of tasks: what they write is many times the budget, and some of them stop writing.
TEST(FlushArbiter, HoldsTheBudgetOverManyDatabasesAndFlushesIdleOnes) {
  constexpr size_t kBudget = 128 << 20;
  constexpr int kDatabases = 64;
  TemporaryFolder folder;
  const auto memory = AcquireMemory({64 << 20, kBudget, 2, 2, 64});
  std::vector<std::shared_ptr<TaskDatabase>> databases;
  for (int i = 0; i < kDatabases; i++) {
    TaskDatabaseOptions options{folder / std::to_string(i), i, {}, 100'000'000, 3'600'000, {}};
    for (int store = 0; store < 4; store++)
      options.stores.push_back({"store-" + std::to_string(store), false, std::nullopt});
    databases.push_back(OpenDatabase(memory, options));
    ASSERT_NE(databases.back(), nullptr);
  }
  const auto sink = ThreeStoresSink();
  const auto write = [&](int database, int commit) {
    for (size_t store = 0; store < 4; store++) {
      ChangeBatch batch;
      for (int row = 0; row < 250; row++)
        batch.Put(std::to_string(commit * 1000 + row), std::string(1000, 'v'));
      ASSERT_TRUE(batch.Apply(*databases[database], store).ok());
    }
    ASSERT_OK(CommitAll(*databases[database], sink));
  };
  // 1 MB each, 64 MB in all; then the first four go on alone, and need the others' memory.
  for (int i = 0; i < kDatabases; i++) write(i, 0);
  const auto idle_flushed = [&databases] {
    int flushed = 0;
    for (int i = 4; i < kDatabases; i++) {
      if (databases[i]->Property("rocksdb.live-sst-files-size").value() > 0) flushed++;
    }
    return flushed;
  };
  int commits = 0;
  while (commits < 100 || (commits < 10'000 && idle_flushed() < 50)) {
    commits++;
    for (int i = 0; i < 4; i++) write(i, commits % 200);
  }
  const StateMemoryUsage usage = memory->Usage();
  std::cout << "memtable peak " << (usage.memtable_peak_bytes >> 20) << " MiB of " << (kBudget >> 20)
            << " MiB, " << usage.arbiter_flushes << " flushes by the arbiter\n";
  EXPECT_LE(usage.memtable_peak_bytes, kBudget);
  EXPECT_GT(usage.arbiter_flushes, 0);
  std::cout << idle_flushed() << " of " << kDatabases - 4 << " idle databases flushed while " << commits * 4
            << " MB were written\n";
  EXPECT_GE(idle_flushed(), 50);
}

// A target without a database: the arbiter's choices alone.
class CountingTarget final : public FlushTarget {
 public:
  size_t ActiveMemtableBytes() override { return bytes_; }
  uint64_t LastWrite() const override { return last_write_; }
  int64_t FlushDueMs() const override { return due_ms_; }
  void RequestFlush() override {
    bytes_ = 0;
    due_ms_ = INT64_MAX;
    on_flush_();
    flushes_++;
  }

  std::atomic<size_t> bytes_{0};
  std::atomic<uint64_t> last_write_{0};
  std::atomic<int64_t> due_ms_{INT64_MAX};
  std::atomic<int> flushes_{0};
  std::function<void()> on_flush_ = [] {};
};

TEST(FlushArbiter, FlushesWhatIsDue) {
  const auto manager = std::make_shared<rocksdb::WriteBufferManager>(1 << 20);
  FlushArbiter arbiter({1 << 20}, manager);
  const auto due = std::make_shared<CountingTarget>();
  const auto later = std::make_shared<CountingTarget>();
  arbiter.Add(due);
  arbiter.Add(later);
  later->due_ms_ = MonotonicMs() + 3'600'000;
  due->due_ms_ = MonotonicMs();
  arbiter.Wake();
  while (due->flushes_ == 0) std::this_thread::yield();
  EXPECT_EQ(later->flushes_, 0);
}

TEST(FlushArbiter, PrefersTheIdleThenTheLargest) {
  constexpr size_t kBudget = 1 << 20;
  const auto manager = std::make_shared<rocksdb::WriteBufferManager>(kBudget);
  FlushArbiter arbiter({kBudget}, manager);
  const auto idle = std::make_shared<CountingTarget>();
  const auto busy = std::make_shared<CountingTarget>();
  const auto small = std::make_shared<CountingTarget>();
  std::vector<FlushTarget*> order;
  std::mutex order_mutex;
  for (const auto& target : {idle, busy, small}) {
    target->on_flush_ = [&, target = target.get()] {
      std::lock_guard<std::mutex> lock(order_mutex);
      order.push_back(target);
    };
  }
  idle->bytes_ = 200'000;
  busy->bytes_ = 500'000;
  small->bytes_ = 1'000;
  idle->last_write_ = arbiter.RecordWrite(0);
  // Half a budget goes elsewhere: idle counts five times by now.
  arbiter.Admit(kBudget / 2);
  busy->last_write_ = arbiter.RecordWrite(kBudget / 2);
  arbiter.Add(idle);
  arbiter.Add(busy);
  arbiter.Add(small);
  // As memtables would be charged: more than half of the budget, and no flush of these targets lowers it, so
  // all go in turn.
  manager->ReserveMem(700'000);
  arbiter.Wake();
  while (small->flushes_ == 0) std::this_thread::yield();
  {
    std::lock_guard<std::mutex> lock(order_mutex);
    EXPECT_EQ(order, (std::vector<FlushTarget*>{idle.get(), busy.get(), small.get()}));
  }
  arbiter.Stop();
  manager->ScheduleFreeMem(700'000);
  manager->FreeMem(700'000);
}

TEST(FlushArbiter, AWriterThatNoFlushHelpsIsNotHeld) {
  const auto manager = std::make_shared<rocksdb::WriteBufferManager>(1 << 20);
  FlushArbiter arbiter({1 << 20}, manager);
  // More than the whole budget, with nothing to flush: goes through.
  arbiter.Admit(5 << 20);
  arbiter.RecordWrite(5 << 20);
}

}  // namespace
}  // namespace weir
