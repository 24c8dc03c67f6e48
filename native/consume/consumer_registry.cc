#include "consume/consumer_registry.h"

#include <mutex>
#include <unordered_map>
#include <utility>

namespace weir {

namespace {

// Leaked, so that it outlives every thread.
struct Registry {
  std::mutex mutex;
  int64_t next_id = 1;
  std::unordered_map<int64_t, std::weak_ptr<Consumer>> consumers;
};

Registry& TheRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

}  // namespace

int64_t ConsumerRegistry::NextId() {
  std::lock_guard<std::mutex> lock(TheRegistry().mutex);
  return TheRegistry().next_id++;
}

void ConsumerRegistry::Add(int64_t id, std::weak_ptr<Consumer> consumer) {
  std::lock_guard<std::mutex> lock(TheRegistry().mutex);
  TheRegistry().consumers.emplace(id, std::move(consumer));
}

std::shared_ptr<Consumer> ConsumerRegistry::Find(int64_t id) {
  std::lock_guard<std::mutex> lock(TheRegistry().mutex);
  const auto found = TheRegistry().consumers.find(id);
  return found == TheRegistry().consumers.end() ? nullptr : found->second.lock();
}

void ConsumerRegistry::Remove(int64_t id) {
  std::lock_guard<std::mutex> lock(TheRegistry().mutex);
  TheRegistry().consumers.erase(id);
}

}  // namespace weir
