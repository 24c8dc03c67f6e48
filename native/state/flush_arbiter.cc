#include "state/flush_arbiter.h"

#include <algorithm>
#include <chrono>

#include "common/thread_pool.h"

namespace weir {

namespace {

constexpr auto kTick = std::chrono::milliseconds(1000);

}  // namespace

std::atomic<size_t> FlushArbiter::peak_bytes_{0};

int64_t MonotonicMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

FlushArbiter::FlushArbiter(const Options& options, std::shared_ptr<rocksdb::WriteBufferManager> manager)
    : options_(options), manager_(std::move(manager)), thread_([this] { Run(); }) {}

void FlushArbiter::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  freed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FlushArbiter::Add(std::weak_ptr<FlushTarget> target) {
  std::lock_guard<std::mutex> lock(mutex_);
  targets_.push_back(std::move(target));
}

int FlushArbiter::databases() { return static_cast<int>(LiveTargets().size()); }

void FlushArbiter::Admit(size_t bytes) {
  std::unique_lock<std::mutex> lock(mutex_);
  waiting_bytes_ += bytes;
  int64_t deadline = MonotonicMs() + options_.stall_max_ms;
  uint64_t completed = completed_flushes_;
  nothing_to_flush_ = false;
  while (!stopped_ && manager_->memory_usage() + admitted_bytes_ + bytes > options_.budget_bytes &&
         MonotonicMs() < deadline) {
    // Immutable memtables are being flushed; they will be freed. Without any, only the arbiter can make some.
    const bool flushing = manager_->memory_usage() > manager_->mutable_memtable_memory_usage();
    if (!flushing && nothing_to_flush_) break;
    signalled_ = true;
    wake_.notify_one();
    freed_.wait_for(lock, std::chrono::milliseconds(20));
    if (completed != completed_flushes_) {
      completed = completed_flushes_;
      deadline = MonotonicMs() + options_.stall_max_ms;
      nothing_to_flush_ = false;
    }
  }
  waiting_bytes_ -= bytes;
  admitted_bytes_ += bytes;
}

uint64_t FlushArbiter::RecordWrite(size_t bytes) {
  const size_t used = manager_->memory_usage();
  size_t peak = peak_bytes_.load(std::memory_order_relaxed);
  while (used > peak && !peak_bytes_.compare_exchange_weak(peak, used, std::memory_order_relaxed)) {
  }
  std::lock_guard<std::mutex> lock(mutex_);
  admitted_bytes_ -= bytes;
  written_bytes_ += bytes;
  if (manager_->mutable_memtable_memory_usage() > options_.budget_bytes / 2) {
    signalled_ = true;
    wake_.notify_one();
  }
  return written_bytes_;
}

void FlushArbiter::OnFlushCompleted() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    completed_flushes_++;
    signalled_ = true;
  }
  wake_.notify_one();
  freed_.notify_all();
}

void FlushArbiter::Wake() {
  std::lock_guard<std::mutex> lock(mutex_);
  signalled_ = true;
  wake_.notify_one();
}

void FlushArbiter::Run() {
  SetThreadName("weir-flush");
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopped_) {
    wake_.wait_for(lock, kTick, [this] { return stopped_ || signalled_; });
    if (stopped_) return;
    signalled_ = false;
    lock.unlock();
    FlushDue();
    FlushForMemory();
    lock.lock();
  }
}

void FlushArbiter::FlushDue() {
  const int64_t now = MonotonicMs();
  for (const std::shared_ptr<FlushTarget>& target : LiveTargets()) {
    if (target->FlushDueMs() > now) continue;
    target->RequestFlush();
    flushes_.fetch_add(1, std::memory_order_relaxed);
  }
}

void FlushArbiter::FlushForMemory() {
  while (WantsFlush()) {
    if (FlushOne()) continue;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      nothing_to_flush_ = true;
    }
    freed_.notify_all();
    return;
  }
}

bool FlushArbiter::WantsFlush() {
  const size_t active = manager_->mutable_memtable_memory_usage();
  if (active > options_.budget_bytes / 2) return true;
  // What is immutable frees itself; with the active memtables alone, would those who wait fit?
  std::lock_guard<std::mutex> lock(mutex_);
  return !stopped_ && waiting_bytes_ > 0 && active + admitted_bytes_ + waiting_bytes_ > options_.budget_bytes;
}

bool FlushArbiter::FlushOne() {
  const std::vector<std::shared_ptr<FlushTarget>> targets = LiveTargets();
  uint64_t written;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    written = written_bytes_;
  }
  // A database counts as twice its size when an eighth of the budget was written elsewhere since its last
  // write.
  const double aging = static_cast<double>(options_.budget_bytes) / 8;
  // Next to nothing is not worth a file, however old; it goes when there is nothing else.
  const size_t worthwhile = options_.budget_bytes / (4 * std::max<size_t>(targets.size(), 1));
  FlushTarget* chosen = nullptr;
  double chosen_weight = 0;
  for (const std::shared_ptr<FlushTarget>& target : targets) {
    const size_t bytes = target->ActiveMemtableBytes();
    if (bytes == 0) continue;
    const double age = static_cast<double>(written - std::min(written, target->LastWrite())) / aging;
    const double weight = bytes < worthwhile ? 1 : static_cast<double>(bytes) * (1 + age);
    if (weight <= chosen_weight) continue;
    chosen_weight = weight;
    chosen = target.get();
  }
  if (chosen == nullptr) return false;
  chosen->RequestFlush();
  flushes_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

std::vector<std::shared_ptr<FlushTarget>> FlushArbiter::LiveTargets() {
  std::vector<std::shared_ptr<FlushTarget>> live;
  std::lock_guard<std::mutex> lock(mutex_);
  live.reserve(targets_.size());
  size_t kept = 0;
  for (size_t i = 0; i < targets_.size(); i++) {
    std::shared_ptr<FlushTarget> target = targets_[i].lock();
    if (target == nullptr) continue;
    live.push_back(std::move(target));
    if (kept != i) targets_[kept] = std::move(targets_[i]);
    kept++;
  }
  targets_.resize(kept);
  return live;
}

}  // namespace weir
