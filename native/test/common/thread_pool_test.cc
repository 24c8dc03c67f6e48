#include "common/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

namespace weir {
namespace {

TEST(ThreadPool, RunsAllTasksOnAtMostItsThreads) {
  std::atomic<int> running{0};
  std::atomic<int> running_max{0};
  std::atomic<int> done{0};
  std::promise<void> all;
  ThreadPool pool("test", 3, 1000);
  for (int i = 0; i < 500; i++) {
    ASSERT_TRUE(pool.Submit([&] {
      const int now = ++running;
      int seen = running_max.load();
      while (now > seen && !running_max.compare_exchange_weak(seen, now)) {
      }
      --running;
      if (++done == 500) all.set_value();
    }));
  }
  all.get_future().wait();
  EXPECT_LE(running_max.load(), 3);
}

TEST(ThreadPool, RefusesWhatExceedsItsQueue) {
  ThreadPool pool("test", 1, 2);
  std::promise<void> release;
  std::promise<void> started;
  auto blocked = release.get_future().share();
  ASSERT_TRUE(pool.Submit([&started, blocked] {
    started.set_value();
    blocked.wait();
  }));
  started.get_future().wait();
  EXPECT_TRUE(pool.Submit([] {}));
  EXPECT_TRUE(pool.Submit([] {}));
  EXPECT_FALSE(pool.Submit([] {}));
  release.set_value();
}

TEST(ThreadPool, StopWaitsForRunningTasksAndDestroysWaitingOnes) {
  ThreadPool pool("test", 1, 10);
  std::promise<void> started;
  std::atomic<bool> finished{false};
  std::atomic<bool> ran{false};
  auto captured = std::make_shared<int>(1);
  ASSERT_TRUE(pool.Submit([&] {
    started.set_value();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    finished = true;
  }));
  started.get_future().wait();
  ASSERT_TRUE(pool.Submit([&ran, captured] { ran = true; }));
  pool.Stop();
  EXPECT_TRUE(finished);
  EXPECT_FALSE(ran);
  EXPECT_EQ(captured.use_count(), 1);
  EXPECT_FALSE(pool.Submit([] {}));
}

}  // namespace
}  // namespace weir
