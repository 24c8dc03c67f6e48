#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "common/kafka_config.h"
#include "common/kafka_handles.h"
#include "restore/changelog_reader.h"
#include "restore/restore_places.h"

namespace weir {

// A thread with a consumer of its own, which restores several changelogs at a time. The consumer exists while
// there is something to restore, and a little longer.
//
// Those that read take turns, a batch or a slice of a merge at a time; restore_places.h says who reads.
//
// Threading: Add and load() from any thread; the constructor and the destructor from one that is not a
// restore thread.
class RestoreThread {
 public:
  RestoreThread(KafkaConfig config, RestorePlaces places);
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
  void Run();
  // Moves readers from added_ to readers_. Returns false when the thread is to end.
  bool TakeAdded(bool wait);
  bool EnsureClient();
  // The client is to know who leads the new readers' topics. Blocks for a second at the most for each.
  void LearnTopics();
  // REQUIRES: no readers.
  void DropIdleClient();
  void GrantPlaces();
  // A reader with a place has the partition: the same store is being restored into two databases.
  bool IsBeingRead(const ChangelogReader& reader) const;
  bool StepAll();
  void FailAll(const Status& status);

  const KafkaConfig config_;
  const RestorePlaces places_;
  const std::function<void()> wake_;

  // The thread's own. The client goes after the readers.
  KafkaClientHandle client_;
  std::set<std::string> known_topics_;  // the client's
  std::chrono::steady_clock::time_point last_read_;
  std::vector<std::unique_ptr<ChangelogReader>> readers_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<ChangelogReader>> added_;  // guarded by mutex_, as is everything below
  size_t load_ = 0;
  bool signalled_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace weir
