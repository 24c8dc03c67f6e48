#include "restore/restore_job.h"

namespace weir {

RestoreJob::RestoreJob(std::shared_ptr<TaskDatabase> database, std::vector<RestoreRequest> requests,
                       std::function<void(Status)> done)
    : database_(std::move(database)), done_(std::move(done)), open_(requests.size()) {
  for (RestoreRequest& request : requests) stores_.emplace_back(std::move(request));
}

std::vector<RestoreProgress> RestoreJob::Progress() const {
  std::vector<RestoreProgress> progress;
  for (const Store& store : stores_) {
    progress.push_back({store.request.store, store.restored.load(std::memory_order_relaxed),
                        store.begin.load(std::memory_order_relaxed),
                        store.position.load(std::memory_order_relaxed),
                        store.end.load(std::memory_order_relaxed)});
  }
  return progress;
}

void RestoreJob::Advance(size_t index, int64_t records, int64_t position) {
  stores_[index].restored.fetch_add(records, std::memory_order_relaxed);
  stores_[index].position.store(position, std::memory_order_relaxed);
}

void RestoreJob::EndStore(size_t, Status status) {
  std::function<void(Status)> done;
  Status result;
  std::shared_ptr<TaskDatabase> database;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!status.ok() && failure_.ok()) failure_ = std::move(status);
    if (!failure_.ok()) failed_.store(true, std::memory_order_release);
    if (--open_ > 0) return;
    done = std::move(done_);
    result = failure_;
    database = std::move(database_);
  }
  if (result.ok() && stopped_.load(std::memory_order_acquire)) result = Status::Closed("The restore");
  // May be the last holder, and then closes it: before anybody is told.
  database.reset();
  done(std::move(result));
  std::lock_guard<std::mutex> lock(mutex_);
  finished_ = true;
  ended_.notify_all();
}

void RestoreJob::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  ended_.wait(lock, [this] { return finished_; });
}

}  // namespace weir
