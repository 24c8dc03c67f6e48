#include <algorithm>
#include <map>
#include <mutex>

#include "state/task_database.h"

namespace weir {

namespace {

struct Shared {
  std::mutex mutex;
  int64_t next_id = 1;                                  // guarded by mutex
  std::map<int64_t, std::weak_ptr<TaskDatabase>> open;  // guarded by mutex
};

// Never destroyed: threads may end after the statics.
Shared& TheShared() {
  static Shared* shared = new Shared;
  return *shared;
}

}  // namespace

int64_t TaskDatabase::Share() {
  if (shared_id_ >= 0) return shared_id_;
  std::lock_guard<std::mutex> lock(TheShared().mutex);
  shared_id_ = TheShared().next_id++;
  TheShared().open.emplace(shared_id_, weak_from_this());
  return shared_id_;
}

void TaskDatabase::EndSharing() {
  if (shared_id_ < 0) return;
  std::lock_guard<std::mutex> lock(TheShared().mutex);
  TheShared().open.erase(shared_id_);
}

Result<std::shared_ptr<TaskDatabase>> TaskDatabase::Attach(int64_t id) {
  std::shared_ptr<TaskDatabase> shared;
  {
    std::lock_guard<std::mutex> lock(TheShared().mutex);
    const auto found = TheShared().open.find(id);
    if (found != TheShared().open.end()) shared = found->second.lock();
  }
  if (shared == nullptr) return Status::Closed("The state database number " + std::to_string(id));
  const std::vector<StoreSettings>& stores = shared->options_.stores;
  const auto unfit = std::find_if(stores.begin(), stores.end(), [](const StoreSettings& store) {
    return store.in_memory || store.segments.has_value();
  });
  if (unfit != stores.end())
    return Status::Invalid("Store " + unfit->name + " of " + shared->path() +
                           " is in memory or cut into segments: other threads cannot read it");
  if (!shared->rocksdb_->AddOwner()) return Status::Closed("The state database " + shared->path());
  auto reader = std::make_shared<TaskDatabase>(shared->memory_, shared->options_, shared->rocksdb_);
  reader->is_reader_ = true;
  const Status status = reader->ReadOffsets();
  if (!status.ok()) return status;
  return reader;
}

}  // namespace weir
