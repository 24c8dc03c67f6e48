#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "common/kafka_config.h"
#include "common/kafka_handles.h"
#include "restore/changelog_reader.h"

namespace weir {

// A thread with a consumer of its own, which restores several changelogs at a time. The consumer exists while
// there is something to restore.
//
// Threading: Add and load() from any thread; the constructor and the destructor from one that is not a
// restore thread.
class RestoreThread {
 public:
  explicit RestoreThread(KafkaConfig config);
  // Ends what is being restored, with `closed`.
  ~RestoreThread();
  RestoreThread(const RestoreThread&) = delete;
  RestoreThread& operator=(const RestoreThread&) = delete;

  void Add(std::unique_ptr<ChangelogReader> reader);
  // Readers that have not ended.
  size_t load();
  // Jobs changed their minds (Stop).
  void Wake();

 private:
  // Changelogs that are read at a time, each with a fetch queue; the others wait.
  static constexpr size_t kActiveMax = 8;

  void Run();
  // Moves readers from waiting_ to active_. Returns false when the thread is to end.
  bool TakeWaiting(bool wait);
  // An active reader has the partition: the same store is being restored into two databases.
  bool IsBeingRead(const ChangelogReader& reader) const;
  bool EnsureClient();
  bool StepAll();
  void FailAll(const Status& status);

  const KafkaConfig config_;
  const std::function<void()> wake_;

  // The thread's own. The client goes after the readers.
  KafkaClientHandle client_;
  std::vector<std::unique_ptr<ChangelogReader>> active_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<ChangelogReader>> waiting_;  // guarded by mutex_, as is everything below
  size_t load_ = 0;
  bool signalled_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace weir
