#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/cancellation.h"
#include "common/kafka_config.h"
#include "common/kafka_handles.h"
#include "common/status.h"
#include "state/task_database.h"

namespace weir {

struct RestoreStore {
  size_t store;  // in the database
  std::string topic;
  int32_t partition;
  std::string topic_id;
  int64_t from;  // -1: from the changelog's beginning, into an emptied store
};

struct RestoreProgress {
  size_t store;
  int64_t restored_records;
  int64_t position;
  int64_t end;  // -1 until known
};

// The changelogs of one database, replayed: for each store every committed record from its offset up to the end that the changelog had, uncommitted
// records included, when the job began. That end is asked for after the caller fetched the committed source offsets: the last stable offset may lag
// behind changes that those offsets stand for.
//
//   ends known -> stores to be read anew emptied -> consume, write rows with their offset in one batch -> every position at its end
//
// Threading: Run on one thread; Stop and Progress from any.
// Invariants:
//   1. Rows and the offset after them are one atomic write: a job that ends at any point is continued from the database's offset.
//   2. A position counts what the log holds no records for (aborted transactions, markers, compaction): it follows the fetch position at the end
//      of the partition.
class RestoreJob {
 public:
  RestoreJob(std::shared_ptr<TaskDatabase> database, std::vector<RestoreStore> stores, const Cancellation& ending);
  RestoreJob(const RestoreJob&) = delete;
  RestoreJob& operator=(const RestoreJob&) = delete;

  // Blocks until every store has reached its end. `ends` asks for watermarks and must not filter by isolation.
  Status Run(const KafkaConfig& config, rd_kafka_t* ends);

  // Ends Run at its next batch.
  void Stop() const { stopped_.Cancel(); }
  std::vector<RestoreProgress> Progress() const;

 private:
  struct Partition {
    explicit Partition(RestoreStore restore_store) : store(std::move(restore_store)) {}
    const RestoreStore store;
    std::atomic<int64_t> restored{0};
    std::atomic<int64_t> position{0};
    std::atomic<int64_t> end{-1};
    // Records of the batch at hand.
    std::vector<ChangelogRecord> records;
    int64_t batch_position = 0;
    bool touched = false;
    bool done = false;
  };

  bool Ending() const { return stopped_.cancelled() || ending_.cancelled(); }
  Status FindRange(Partition* partition, rd_kafka_t* ends) const;
  Status Consume(rd_kafka_t* consumer);
  Status Take(const rd_kafka_message_t* message);
  Status WriteBatch();
  Partition* Find(const char* topic, int32_t partition);

  const std::shared_ptr<TaskDatabase> database_;
  const Cancellation ending_;
  const Cancellation stopped_;
  std::vector<std::unique_ptr<Partition>> partitions_;
};

}  // namespace weir
