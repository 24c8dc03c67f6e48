#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir {

// Weir's own native threads, for work that blocks: libuv's four threads are never used for it. Threads start
// when there is work and none is idle, up to a limit; they live until Stop.
//
// Threading: Submit may be called from any thread, also from a task. Stop and the destructor from one thread
// that is not the pool's. Invariants:
//   1. At most `queue_max` tasks wait, at most `threads_max` run.
//   2. A task taken by Submit either runs once, or is destroyed unrun by Stop, on the thread that calls Stop.
//   3. After Stop has returned no thread of the pool exists.
class ThreadPool {
 public:
  // `name` is shown by ps and debuggers; Linux keeps 15 characters.
  ThreadPool(std::string name, int threads_max, size_t queue_max);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Returns false when the queue is full or the pool has stopped. Tasks must not throw.
  [[nodiscard]] bool Submit(std::function<void()> task);

  // Waits for running tasks; drops the waiting ones. Idempotent.
  void Stop();

  int threads_max() const { return threads_max_; }

 private:
  void Run();

  const std::string name_;
  const int threads_max_;
  const size_t queue_max_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;  // guarded by mutex_, as is everything below
  std::vector<std::thread> threads_;
  int idle_ = 0;
  bool stopped_ = false;
};

// Names the calling thread for ps and debuggers.
void SetThreadName(const std::string& name);

}  // namespace weir
