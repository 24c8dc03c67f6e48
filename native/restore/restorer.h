#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/cancellation.h"
#include "common/kafka_config.h"
#include "common/kafka_handles.h"
#include "common/status.h"
#include "common/thread_pool.h"
#include "restore/restore_job.h"
#include "state/task_database.h"

namespace weir {

// Replays changelogs into task databases, on threads of its own.
//
// Ownership: one per process, counted: held by the JS objects and by running jobs. The last holder joins the threads, and must not be one of them:
// a job lets go of the restorer only through the holder it was started from.
// Threading: any thread may call anything.
class Restorer {
 public:
  // The first call fixes `config` and `threads`; later ones must agree. `config` needs bootstrap.servers and a group.id (nothing is committed).
  static Result<std::shared_ptr<Restorer>> Acquire(const KafkaConfig& config, int threads);
  ~Restorer();
  Restorer(const Restorer&) = delete;
  Restorer& operator=(const Restorer&) = delete;

  // Starts a job. `done` runs on a restore thread, exactly once; Closed when the job was stopped or the restorer ends first.
  // REQUIRES: nobody else writes to `database` until then.
  Result<std::shared_ptr<RestoreJob>> Restore(std::shared_ptr<TaskDatabase> database, std::vector<RestoreStore> stores,
                                              std::function<void(Status)> done);

 private:
  Restorer(KafkaConfig config, int threads, KafkaClientHandle ends);

  const KafkaConfig config_;
  const int threads_;
  const Cancellation ending_;
  // Asks for the changelogs' ends, uncommitted ones included.
  KafkaClientHandle ends_;
  ThreadPool pool_;
};

}  // namespace weir
