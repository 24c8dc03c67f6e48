#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/kafka_handles.h"
#include "common/status.h"
#include "restore/record_run.h"
#include "restore/restore_job.h"

namespace weir {

// Restores one store from one partition of its changelog, a step at a time, so that a thread serves many.
//
//   kNew ──ask for the end──> kAwaitingEnd ──start fetching──> kReading ──position >= end──> kEnded
//                                   └──────── nothing to read ─────────────────────────────────┘
//
// The end is asked for uncommitted: the last stable offset may lie before records that are visible already.
// Reading is committed, and the position counts what is not handed out (aborted records, markers, gaps of
// compaction): librdkafka tells it at each end of the partition. An open transaction is waited for.
//
// Threading: the restore thread that owns `client`. `wake` is called on librdkafka's threads when Step has
// something to do.
class ChangelogReader {
 public:
  ChangelogReader(std::shared_ptr<RestoreJob> job, size_t index);
  // REQUIRES: ended, or never stepped.
  ~ChangelogReader();
  ChangelogReader(const ChangelogReader&) = delete;
  ChangelogReader& operator=(const ChangelogReader&) = delete;

  // Does what can be done without waiting. Returns whether there may be more to do at once.
  // REQUIRES: !ended(). `client` and `wake` are the same at each call.
  bool Step(rd_kafka_t* client, const std::function<void()>* wake);
  bool ended() const { return state_ == State::kEnded; }
  // The next step ends it.
  bool ending() const { return job_->ending(); }
  // A client can fetch a partition for one reader at a time.
  bool ReadsSamePartition(const ChangelogReader& other) const;
  // Ends without a step (no client could be created).
  void Fail(Status status) { End(std::move(status)); }

 private:
  enum class State { kNew, kAwaitingEnd, kReading, kEnded };

  // Messages of one batch: its memory is bounded by the fetch queue's (queued.max.messages.kbytes).
  static constexpr size_t kBatchMax = 16384;

  Status AskForEnd(rd_kafka_t* client);
  Status TakeEnd(bool* progressed);
  // Ok when the question will be repeated; `status` when it is of no use, or for too long.
  Status MaybeAskAgain(rd_kafka_resp_err_t error, Status status);
  Status StartReading(rd_kafka_t* client);
  Status ReadBatch(bool* progressed);
  Status Finish();
  void End(Status status);
  std::string Name() const;

  const std::shared_ptr<RestoreJob> job_;
  const size_t index_;
  State state_ = State::kNew;
  int64_t position_;
  int64_t end_ = -1;
  int64_t asked_first_ms_ = 0;
  int64_t ask_again_ms_ = 0;  // 0: an answer is on its way

  KafkaQueueHandle queue_;  // the answer about the end, then the records
  KafkaTopicHandle topic_;
  bool fetching_ = false;
  std::vector<rd_kafka_message_t*> messages_;
  RecordRun run_;
};

}  // namespace weir
