#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/kafka_handles.h"
#include "common/status.h"
#include "consume/record_batch.h"
#include "consume/waker.h"

namespace weir {

class Seeker;

// One partition for as long as it is assigned: its own librdkafka queue, and the position at which its one reader reads.
//
// Ownership: the Consumer makes a slot when it assigns the partition and ends it when it unassigns it or closes; readers hold it by
// shared_ptr and find it ended. librdkafka's queue and messages belong to the slot, and are gone when End has returned.
//
// Threading: the reader's thread calls Open, Poll, Seek, Pause, Resume, Close and Watermarks; the Consumer's owner calls End; the
// seeker's thread calls PendingSeek and FinishSeek. Any of them may meet: all is guarded by `mutex_`.
//
// Invariants:
//   1. Records are given out in the order of their offsets, none below the offset that was last asked for (Open, Seek, Resume).
//   2. librdkafka's own position is not relied on: whenever it may differ from the offset asked for, a seek is made, and until
//      librdkafka has confirmed it nothing is read.
//   3. `reader_` is signalled by every record that comes after Poll found nothing, and when a seek is done.
//   4. After End nothing of librdkafka's is touched: the next assignment of the partition has another slot.
class PartitionSlot : public std::enable_shared_from_this<PartitionSlot> {
 public:
  // Takes `queue`, the partition's own, which librdkafka will fill from `offset`.
  PartitionSlot(rd_kafka_t* client, Seeker* seeker, std::string topic, int32_t partition,
                KafkaQueueHandle queue, int64_t offset);
  ~PartitionSlot();
  PartitionSlot(const PartitionSlot&) = delete;
  PartitionSlot& operator=(const PartitionSlot&) = delete;

  const std::string& topic() const { return topic_; }
  int32_t partition() const { return partition_; }

  // Begins to read at `offset`. Fails when another reader has the partition open, or when the assignment has ended.
  Status Open(std::shared_ptr<Waker> reader, int64_t offset);
  void Close();

  // Moves records into `batch`. Returns how many; 0 when there is nothing now, the slot is paused, or its assignment has ended; -n
  // when the next record needs n bytes and the arena has fewer. A partition's error is returned after the records before it.
  // REQUIRES: open.
  Result<int32_t> Poll(const RecordBatch& batch);

  // Drops what was fetched and reads on from `offset`. A paused slot stays paused. When librdkafka has stopped after an offset out of
  // range (_AUTO_OFFSET_RESET), a member of a group cannot make it go on before the next assignment: Poll then returns _STATE.
  void Seek(int64_t offset);
  void Pause();
  // Seeks to `offset`, then resumes.
  void Resume(int64_t offset);

  // The offset to read next: after the last record that Poll moved, and where the partition ends after whatever follows it without being
  // a record.
  int64_t Position() const;
  // Low and high watermark as of the last fetch, -1 when unknown. The high one is that of records: where the partition ends (needs
  // enable.partition.eof) it is Position().
  std::pair<int64_t, int64_t> Watermarks() const;

  // The end of the assignment: frees the queue and what was fetched. Idempotent.
  void End();

  struct SeekRequest {
    int64_t offset;
    uint64_t generation;
    bool stopped;  // librdkafka has stopped fetching (the offset was out of range) and takes no seek
    std::chrono::steady_clock::time_point asked;
  };
  // The seek to make; nullopt when there is none (any more).
  std::optional<SeekRequest> PendingSeek() const;
  // The seek of that generation is in effect, or has failed for good.
  void FinishSeek(uint64_t generation, const Status& status);

 private:
  // Messages taken from librdkafka at once. Those that do not fit into a batch wait in `pulled_`.
  static constexpr size_t kPullMax = 256;

  // The rest REQUIRES mutex_ held.
  bool PullLocked(size_t count_max);
  void DropPulledLocked();
  void SeekLocked(int64_t offset);
  void ResumeFetchLocked();
  KafkaMessageHandle TakeNextLocked();

  rd_kafka_t* const client_;
  Seeker* const seeker_;
  const std::string topic_;
  const int32_t partition_;

  mutable std::mutex mutex_;
  KafkaQueueHandle queue_;         // null once ended; guarded by mutex_, as is everything below
  std::shared_ptr<Waker> reader_;  // null while closed
  int64_t next_offset_;            // records below it are dropped
  int64_t
      fetch_offset_;   // the offset after the last message taken from librdkafka, or the one last asked of it
  bool ends_ = false;  // the last message taken from librdkafka was the partition's end
  bool paused_ = false;
  bool resume_after_seek_ = false;
  std::optional<SeekRequest> seek_;  // asked for and not yet confirmed
  uint64_t seek_generation_ = 0;
  bool stopped_ = false;  // librdkafka fetches no more since it told of an offset out of range
  Status failure_;        // of a seek; told by the next Poll
  std::array<rd_kafka_message_t*, kPullMax> pulled_;
  size_t pulled_next_ = 0;
  size_t pulled_count_ = 0;
};

}  // namespace weir
