#pragma once

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/kafka_handles.h"
#include "common/status.h"
#include "restore/restore_job.h"
#include "restore/restore_writer.h"
#include "restore/unused_records.h"

namespace weir {

// Restores one store from one partition of its changelog, a step at a time, so that a thread serves many.
//
//   kNew ──ask──> kAwaitingEnd ──ask──> kAwaitingBegin ──> kWaiting ──GrantPlace──> kReading ──> kWriting ──> kEnded
//                      ├──── there is an offset to read from ──┘                        position    the writer's
//                      └──── nothing to read ──> kEnded                                 >= end      outstanding work
//
// The end is asked for uncommitted: the last stable offset may lie before records that are visible already.
// Reading is committed, and the position counts what is not handed out (aborted records, markers, gaps of
// compaction): librdkafka tells it at each end of the partition. An open transaction is waited for.
//
// A database that takes the changelog over reads to that end, too, but applies records only up to where the task was committed last.
//
// Asking takes next to nothing, so every reader does it at once; then it is known which of them are short.
// Fetching takes memory, and needs a place, which the thread grants.
//
// Threading: the restore thread that owns `client`. `wake` is called on librdkafka's threads when Step has
// something to do.
class ChangelogReader {
 public:
  // `memory_bytes`: what it may take for rows on their way, besides what librdkafka has fetched.
  ChangelogReader(std::shared_ptr<RestoreJob> job, size_t index, size_t memory_bytes);
  // REQUIRES: ended, or never stepped.
  ~ChangelogReader();
  ChangelogReader(const ChangelogReader&) = delete;
  ChangelogReader& operator=(const ChangelogReader&) = delete;

  // Does what can be done without waiting. Returns whether there may be more to do at once.
  // REQUIRES: !ended(). `client` and `wake` are the same at each call.
  bool Step(rd_kafka_t* client, const std::function<void()>* wake);
  bool ended() const { return state_ == State::kEnded; }
  // It has not been stepped yet.
  bool is_new() const { return state_ == State::kNew; }
  const std::string& topic() const { return job_->request(index_).topic; }
  // It knows how much there is to read, and waits for a place.
  bool waiting() const { return state_ == State::kWaiting; }
  bool has_place() const { return state_ == State::kReading || state_ == State::kWriting; }
  // Offsets between where it stands and the end: the most records that may come. REQUIRES: waiting or later.
  int64_t remaining() const { return end_ - begin_; }
  // It ends where it is told, not at the changelog's end.
  bool is_bounded() const { return job_->request(index_).until >= 0 && !job_->request(index_).takes_over; }
  // Begins to read. REQUIRES: waiting().
  void GrantPlace(rd_kafka_t* client);
  // A client can fetch a partition for one reader at a time.
  bool ReadsSamePartition(const ChangelogReader& other) const;
  // Ends without a step (no client could be created).
  void Fail(Status status) { End(std::move(status)); }

 private:
  enum class State { kNew, kAwaitingEnd, kAwaitingBegin, kWaiting, kReading, kWriting, kEnded };

  // Messages of one batch: its memory is bounded by the fetch queue's (queued.max.messages.kbytes).
  static constexpr size_t kBatchMax = 16384;
  static constexpr int64_t kAll = INT64_MAX;

  // `which`: RD_KAFKA_OFFSET_SPEC_LATEST or RD_KAFKA_OFFSET_SPEC_EARLIEST.
  Status AskForOffset(rd_kafka_t* client, int64_t which);
  // Sets `offset` when the answer has come, or asks again when that is of use.
  Status AwaitOffset(rd_kafka_t* client, int64_t which, std::optional<int64_t>* offset);
  Status TakeOffset(rd_kafka_t* client, std::optional<int64_t>* offset);
  Status WhyNoLeader(rd_kafka_t* client) const;
  // Ok when the question will be repeated; `status` when it is of no use, or for too long.
  Status MaybeAskAgain(Status status);
  Status OnEnd(rd_kafka_t* client, int64_t end);
  // Where the records end that are applied, of a changelog that is read to `end`; kAll: with what comes meanwhile.
  int64_t RowsEnd(int64_t end) const;
  // The offset that goes with the rows.
  int64_t rows_position() const { return std::min(position_, rows_end_); }
  Status StartReading(rd_kafka_t* client);
  Status ReadBatch(bool* progressed);
  Status Write(int64_t count);
  Status Finish();
  // The writer is done.
  void Complete();
  void StopFetching();
  void End(Status status);
  std::string Name() const;

  const std::shared_ptr<RestoreJob> job_;
  const size_t index_;
  const size_t memory_bytes_;
  State state_ = State::kNew;
  int64_t position_;  // the next offset to read, -1: the first there is
  int64_t begin_ = -1;
  int64_t end_ = -1;
  int64_t rows_end_ = kAll;
  int64_t asked_first_ms_ = 0;
  int64_t ask_again_ms_ = 0;  // 0: an answer is on its way

  KafkaQueueHandle queue_;  // the answer about the end, then the records
  KafkaTopicHandle topic_;
  bool fetching_ = false;
  std::vector<rd_kafka_message_t*> messages_;
  std::vector<ChangelogRecord> records_;  // of one batch, in the messages' memory
  UnusedRecords unused_;
  std::unique_ptr<RestoreWriter> writer_;
};

}  // namespace weir
