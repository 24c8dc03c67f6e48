#include "restore/restorer.h"

#include <mutex>
#include <utility>

namespace weir {

namespace {

constexpr size_t kJobsMax = 4096;

std::mutex instance_mutex;
std::weak_ptr<Restorer> instance;  // guarded by instance_mutex

}  // namespace

Result<std::shared_ptr<Restorer>> Restorer::Acquire(const KafkaConfig& config, int threads) {
  std::lock_guard<std::mutex> lock(instance_mutex);
  std::shared_ptr<Restorer> restorer = instance.lock();
  if (restorer != nullptr) {
    if (restorer->config_ == config && restorer->threads_ == threads) return restorer;
    return Status::Invalid("Restorer: the process has one already, with other settings");
  }
  if (threads < 1) return Status::Invalid("Restorer: threads is " + std::to_string(threads) + "; allowed is 1 or more");
  KafkaConfig ends_config = config;
  // The end is the log's, not the last stable offset.
  ends_config["isolation.level"] = "read_uncommitted";
  Result<KafkaConfHandle> conf = BuildKafkaConf(ends_config, {{"enable.auto.commit", "false"}});
  if (!conf.ok()) return conf.status();
  Result<KafkaClientHandle> ends = NewKafkaClient(RD_KAFKA_CONSUMER, std::move(conf.value()));
  if (!ends.ok()) return ends.status();
  restorer = std::shared_ptr<Restorer>(new Restorer(config, threads, std::move(ends.value())));
  instance = restorer;
  return restorer;
}

Restorer::Restorer(KafkaConfig config, int threads, KafkaClientHandle ends)
    : config_(std::move(config)), threads_(threads), ends_(std::move(ends)), pool_("weir-restore", threads, kJobsMax) {}

Restorer::~Restorer() {
  ending_.Cancel();
  pool_.Stop();
}

Result<std::shared_ptr<RestoreJob>> Restorer::Restore(std::shared_ptr<TaskDatabase> database, std::vector<RestoreStore> stores,
                                                      std::function<void(Status)> done) {
  auto job = std::make_shared<RestoreJob>(std::move(database), std::move(stores), ending_);
  // Told once: by the run, or, when the pool drops the task unrun, by its destruction.
  struct Teller {
    std::function<void(Status)> done;
    ~Teller() {
      if (done) done(Status::Closed("The restorer"));
    }
    void Tell(Status status) { std::exchange(done, nullptr)(std::move(status)); }
  };
  auto teller = std::make_shared<Teller>(Teller{std::move(done)});
  rd_kafka_t* const ends = ends_.get();
  const bool taken = pool_.Submit([job, teller, ends, config = &config_] { teller->Tell(job->Run(*config, ends)); });
  if (!taken) {
    teller->done = nullptr;
    return Status("busy", "More than " + std::to_string(kJobsMax) + " restores are waiting", /*retriable=*/true);
  }
  return job;
}

}  // namespace weir
