#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "common/kafka_config.h"
#include "common/status.h"
#include "restore/restore_job.h"
#include "restore/restore_thread.h"
#include "state/task_database.h"

namespace weir {

// The process's restore threads.
//
// Ownership: a counted singleton, as StateMemory. Its end ends its jobs.
// Threading: any thread. The last holder must not be a restore thread.
class Restorer {
 public:
  // `config` is librdkafka's, without the size of the fetch queues. `memory_bytes` is for all restores together:
  // what was fetched, and rows on their way into files. Fails with `invalid` for a setting that librdkafka
  // refuses, and when a restorer lives that has others.
  static Result<std::shared_ptr<Restorer>> Acquire(const KafkaConfig& config, int threads,
                                                   size_t memory_bytes);

  Restorer(KafkaConfig config, int threads, size_t memory_bytes);
  Restorer(const Restorer&) = delete;
  Restorer& operator=(const Restorer&) = delete;

  // `done` is called once, on a restore thread: Ok when every store reached its end, `closed` after Stop, or
  // the first failure (`kafka:_AUTO_OFFSET_RESET` when an offset is out of range). Stores then have what was
  // restored, with its offset; one that is restored in bulk has all or nothing. REQUIRES: requests is not empty; the stores exist, each named once.
  std::shared_ptr<RestoreJob> Start(std::shared_ptr<TaskDatabase> database,
                                    std::vector<RestoreRequest> requests, std::function<void(Status)> done);
  // Ends a job at its next batch.
  void Stop(RestoreJob& job);

 private:
  const KafkaConfig config_;  // as given
  const size_t memory_bytes_;
  const RestorePlaces places_;
  std::vector<std::unique_ptr<RestoreThread>> threads_;
};

}  // namespace weir
