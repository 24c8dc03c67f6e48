#include "common/thread_pool.h"

#include <pthread.h>

#include <utility>

namespace weir {

void SetThreadName(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

ThreadPool::ThreadPool(std::string name, int threads_max, size_t queue_max)
    : name_(std::move(name)), threads_max_(threads_max), queue_max_(queue_max) {}

ThreadPool::~ThreadPool() { Stop(); }

bool ThreadPool::Submit(std::function<void()> task) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_ || queue_.size() >= queue_max_) return false;
  queue_.push_back(std::move(task));
  if (idle_ < static_cast<int>(queue_.size()) && static_cast<int>(threads_.size()) < threads_max_) {
    threads_.emplace_back([this] { Run(); });
  }
  changed_.notify_one();
  return true;
}

void ThreadPool::Stop() {
  std::deque<std::function<void()>> dropped;
  std::vector<std::thread> threads;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    dropped.swap(queue_);
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void ThreadPool::Run() {
  SetThreadName(name_);
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    idle_++;
    changed_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
    idle_--;
    if (stopped_) return;
    {
      const std::function<void()> task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
    }  // The task's captures are released before the next wait.
    lock.lock();
  }
}

}  // namespace weir
