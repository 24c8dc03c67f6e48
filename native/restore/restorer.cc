#include "restore/restorer.h"

#include <algorithm>
#include <mutex>

namespace weir {

namespace {

std::mutex instance_mutex;
std::weak_ptr<Restorer> instance;  // guarded by instance_mutex

// The client takes no part in a group, whatever the configuration says of one.
KafkaConfig RestoreConfig(KafkaConfig config) {
  config.erase("group.id");
  config.erase("group.instance.id");
  // A full fetch queue is looked at again soon; librdkafka's second would halve the rate.
  config.emplace("fetch.queue.backoff.ms", "10");
  // A changelog that has begun waits while the broker holds a fetch for one that has ended.
  config.emplace("fetch.wait.max.ms", "20");
  return config;
}

}  // namespace

Result<std::shared_ptr<Restorer>> Restorer::Acquire(const KafkaConfig& config, int threads) {
  const KafkaConfig wanted = RestoreConfig(config);
  const Result<KafkaConfHandle> checked = BuildKafkaConf(wanted, {});
  if (!checked.ok()) return checked.status();
  std::lock_guard<std::mutex> lock(instance_mutex);
  std::shared_ptr<Restorer> restorer = instance.lock();
  if (restorer == nullptr) {
    restorer = std::make_shared<Restorer>(wanted, threads);
    instance = restorer;
  } else if (restorer->config_ != wanted || restorer->threads_.size() != static_cast<size_t>(threads)) {
    return Status::Invalid("Restorer: the process has one already, with other settings");
  }
  return restorer;
}

Restorer::Restorer(KafkaConfig config, int threads) : config_(std::move(config)) {
  for (int i = 0; i < threads; i++) threads_.push_back(std::make_unique<RestoreThread>(config_));
}

std::shared_ptr<RestoreJob> Restorer::Start(std::shared_ptr<TaskDatabase> database,
                                            std::vector<RestoreRequest> requests,
                                            std::function<void(Status)> done) {
  auto job = std::make_shared<RestoreJob>(std::move(database), std::move(requests), std::move(done));
  for (size_t i = 0; i < job->size(); i++) {
    const auto least = std::min_element(threads_.begin(), threads_.end(),
                                        [](const auto& a, const auto& b) { return a->load() < b->load(); });
    (*least)->Add(std::make_unique<ChangelogReader>(job, i));
  }
  return job;
}

void Restorer::Stop(RestoreJob& job) {
  job.Stop();
  for (const std::unique_ptr<RestoreThread>& thread : threads_) thread->Wake();
}

}  // namespace weir
