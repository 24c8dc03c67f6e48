#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/status.h"
#include "state/task_database.h"

namespace weir {

struct RestoreRequest {
  // Index into the database's stores.
  size_t store;
  std::string topic;
  int32_t partition;
  // Where to begin; -1: the changelog's earliest offset, after the store's rows were removed.
  int64_t from;
  // Rows that are older than the changelog's memory of deletions. They are as good as ever when the changelog has
  // nothing beyond them; otherwise the restore fails with `stale`. REQUIRES: from >= 0.
  bool stale = false;
  // Where to end; -1: the changelog's uncommitted end. Rows that are newer already stay as they are.
  int64_t until = -1;
  // The database is to be the changelog's only writer. What the changelog has beyond `until` nobody has committed: it is not applied, and
  // rows of its keys are to be written again (TaskDatabase::TakeOver).
  bool takes_over = false;
};

struct RestoreProgress {
  size_t store;
  int64_t restored_records;
  int64_t begin;  // -1 until known
  int64_t position;
  int64_t end;  // -1 until known
};

// The restoring of one database's stores. Its stores may be read by several restore threads.
//
// Threading: Progress, Stop and Wait from any thread; the rest by the restore threads.
// Invariants:
//   1. `done` is called once, on a restore thread, when no thread works on any of the stores any more. The
//      database can then be closed.
//   2. After the first failure, and after Stop, every store ends at its next batch.
class RestoreJob {
 public:
  RestoreJob(std::shared_ptr<TaskDatabase> database, std::vector<RestoreRequest> requests,
             std::function<void(Status)> done);

  std::vector<RestoreProgress> Progress() const;
  void Stop() { stopped_.store(true, std::memory_order_release); }
  // Waits until `done` has been called. REQUIRES that the job was started.
  void Wait();

  TaskDatabase& database() { return *database_; }
  const RestoreRequest& request(size_t index) const { return stores_[index].request; }
  size_t size() const { return stores_.size(); }
  // The stores are to end now.
  bool ending() const {
    return stopped_.load(std::memory_order_acquire) || failed_.load(std::memory_order_acquire);
  }

  void SetBegin(size_t index, int64_t begin) { stores_[index].begin.store(begin, std::memory_order_relaxed); }
  void SetEnd(size_t index, int64_t end) { stores_[index].end.store(end, std::memory_order_relaxed); }
  void Advance(size_t index, int64_t records, int64_t position);
  // Each store ends once: Ok when it reached its end, or was told to end.
  void EndStore(size_t index, Status status);

 private:
  struct Store {
    explicit Store(RestoreRequest wanted) : request(std::move(wanted)), position(request.from) {}

    const RestoreRequest request;
    std::atomic<int64_t> restored{0};
    std::atomic<int64_t> begin{-1};
    std::atomic<int64_t> position;
    std::atomic<int64_t> end{-1};
  };

  std::shared_ptr<TaskDatabase> database_;  // released before `done`
  std::deque<Store> stores_;                // a deque: stores do not move
  std::atomic<bool> stopped_{false};
  std::atomic<bool> failed_{false};

  std::mutex mutex_;
  std::condition_variable ended_;
  std::function<void(Status)> done_;  // guarded by mutex_, as is everything below
  size_t open_;
  Status failure_;
  bool finished_ = false;
};

}  // namespace weir
