#include "restore/restorer.h"

#include <algorithm>
#include <mutex>

namespace weir {

namespace {

std::mutex instance_mutex;
std::weak_ptr<Restorer> instance;  // guarded by instance_mutex

// librdkafka counts the bytes of records, and keeps about as much besides.
constexpr size_t kFetchBytesMin = 64 << 10;

// The client takes no part in a group, whatever the configuration says of one.
KafkaConfig RestoreConfig(KafkaConfig config, size_t fetch_bytes) {
  config.erase("group.id");
  config.erase("group.instance.id");
  // A full fetch queue is looked at again soon; librdkafka's second would halve the rate.
  config.emplace("fetch.queue.backoff.ms", "10");
  // A changelog that has begun waits while the broker holds a fetch for one that has ended.
  config.emplace("fetch.wait.max.ms", "20");
  config["queued.max.messages.kbytes"] = std::to_string(std::max(fetch_bytes, kFetchBytesMin) / 1024);
  return config;
}

}  // namespace

Result<std::shared_ptr<Restorer>> Restorer::Acquire(const KafkaConfig& config, int threads,
                                                    size_t memory_bytes) {
  const Result<KafkaConfHandle> checked = BuildKafkaConf(RestoreConfig(config, kFetchBytesMin), {});
  if (!checked.ok()) return checked.status();
  std::lock_guard<std::mutex> lock(instance_mutex);
  std::shared_ptr<Restorer> restorer = instance.lock();
  if (restorer == nullptr) {
    restorer = std::make_shared<Restorer>(config, threads, memory_bytes);
    instance = restorer;
  } else if (restorer->config_ != config || restorer->threads_.size() != static_cast<size_t>(threads) ||
             restorer->memory_bytes_ != memory_bytes) {
    return Status::Invalid("Restorer: the process has one already, with other settings");
  }
  return restorer;
}

Restorer::Restorer(KafkaConfig config, int threads, size_t memory_bytes)
    : config_(std::move(config)),
      memory_bytes_(memory_bytes),
      places_(PlacesFor(memory_bytes, static_cast<size_t>(threads))) {
  // A quarter, of which records are half.
  const size_t fetch_bytes = memory_bytes / 4 / 2 / static_cast<size_t>(threads) / places_.max;
  const KafkaConfig client = RestoreConfig(config_, fetch_bytes);
  for (int i = 0; i < threads; i++) threads_.push_back(std::make_unique<RestoreThread>(client, places_));
}

std::shared_ptr<RestoreJob> Restorer::Start(std::shared_ptr<TaskDatabase> database,
                                            std::vector<RestoreRequest> requests,
                                            std::function<void(Status)> done) {
  auto job = std::make_shared<RestoreJob>(std::move(database), std::move(requests), std::move(done));
  for (size_t i = 0; i < job->size(); i++) {
    const auto least = std::min_element(threads_.begin(), threads_.end(),
                                        [](const auto& a, const auto& b) { return a->load() < b->load(); });
    (*least)->Add(std::make_unique<ChangelogReader>(job, i, places_.writer_bytes));
  }
  return job;
}

void Restorer::Stop(RestoreJob& job) {
  job.Stop();
  for (const std::unique_ptr<RestoreThread>& thread : threads_) thread->Wake();
}

}  // namespace weir
