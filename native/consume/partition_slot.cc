#include "consume/partition_slot.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/headers_encoder.h"
#include "common/kafka_status.h"
#include "common/topic_partition.h"
#include "consume/seeker.h"

namespace weir {

namespace {

// Appends to the arena at `*used`. A null field has length -1.
void PutBytes(const RecordBatch& batch, size_t index, const void* bytes, size_t size, int32_t* starts,
              int32_t* lengths, size_t* used) {
  starts[index] = static_cast<int32_t>(*used);
  lengths[index] = bytes == nullptr ? -1 : static_cast<int32_t>(size);
  if (bytes == nullptr || size == 0) return;
  std::memcpy(batch.arena + *used, bytes, size);
  *used += size;
}

}  // namespace

PartitionSlot::PartitionSlot(rd_kafka_t* client, Seeker* seeker, std::string topic, int32_t partition,
                             KafkaQueueHandle queue, int64_t offset)
    : client_(client),
      seeker_(seeker),
      topic_(std::move(topic)),
      partition_(partition),
      queue_(std::move(queue)),
      next_offset_(offset),
      fetch_offset_(offset) {}

PartitionSlot::~PartitionSlot() { End(); }

Status PartitionSlot::Open(std::shared_ptr<Waker> reader, int64_t offset) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (queue_ == nullptr) return Status::Closed("The assignment of " + Describe(topic_, partition_));
  if (reader_ != nullptr) return Status::Invalid(Describe(topic_, partition_) + " is already open");
  reader_ = std::move(reader);
  rd_kafka_queue_io_event_enable(queue_.get(), reader_->fd(), &Waker::kSignal, sizeof(Waker::kSignal));
  next_offset_ = offset;
  failure_ = Status::Ok();
  if (paused_) {
    // Left paused by the reader before.
    resume_after_seek_ = true;
    SeekLocked(offset);
  } else if (offset != fetch_offset_ || seek_.has_value()) {
    SeekLocked(offset);
  }
  return Status::Ok();
}

void PartitionSlot::Close() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (queue_ != nullptr && reader_ != nullptr) rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
  reader_.reset();
  DropPulledLocked();
}

Result<int32_t> PartitionSlot::Poll(const RecordBatch& batch) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!failure_.ok()) return std::exchange(failure_, Status::Ok());
  size_t count = 0;
  size_t used = 0;
  while (count < batch.capacity) {
    if (pulled_next_ == pulled_count_ && !PullLocked(batch.capacity - count)) break;
    rd_kafka_message_t* message = pulled_[pulled_next_];
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (count > 0) break;
        const KafkaMessageHandle failed = TakeNextLocked();
        if (failed->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) stopped_ = true;
        return KafkaStatus(failed->err, Describe(topic_, partition_), rd_kafka_message_errstr(failed.get()));
      }
      // Markers of transactions, and what was aborted, lie before the end and are no records.
      next_offset_ = std::max(next_offset_, message->offset);
      TakeNextLocked();
      continue;
    }
    if (message->offset < next_offset_) {
      TakeNextLocked();
      continue;
    }
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) headers = nullptr;
    const size_t headers_size = HeadersSize(headers);
    const size_t needed = message->key_len + message->len + headers_size;
    if (needed > batch.arena_size - used) {
      if (count > 0) break;
      if (needed > INT32_MAX) {
        return Status::Invalid(Describe(topic_, partition_) + ": the record at offset " +
                               std::to_string(message->offset) + " is larger than 2 GiB");
      }
      return -static_cast<int32_t>(needed);
    }
    rd_kafka_timestamp_type_t timestamp_type;
    batch.offset[count] = static_cast<double>(message->offset);
    batch.timestamp[count] = static_cast<double>(rd_kafka_message_timestamp(message, &timestamp_type));
    PutBytes(batch, count, message->key, message->key_len, batch.key_start, batch.key_length, &used);
    PutBytes(batch, count, message->payload, message->len, batch.value_start, batch.value_length, &used);
    batch.headers_start[count] = static_cast<int32_t>(used);
    batch.headers_length[count] = headers_size == 0 ? -1 : static_cast<int32_t>(headers_size);
    if (headers_size > 0) {
      EncodeHeaders(headers, batch.arena + used);
      used += headers_size;
    }
    next_offset_ = message->offset + 1;
    count++;
    TakeNextLocked();
  }
  return static_cast<int32_t>(count);
}

void PartitionSlot::Seek(int64_t offset) {
  std::lock_guard<std::mutex> lock(mutex_);
  SeekLocked(offset);
}

void PartitionSlot::Pause() {
  std::lock_guard<std::mutex> lock(mutex_);
  paused_ = true;
  resume_after_seek_ = false;
  DropPulledLocked();
  if (queue_ == nullptr) return;
  const KafkaPartitionsHandle list = ToKafka(std::vector<TopicPartition>{{topic_, partition_}});
  rd_kafka_pause_partitions(client_, list.get());
}

void PartitionSlot::Resume(int64_t offset) {
  std::lock_guard<std::mutex> lock(mutex_);
  resume_after_seek_ = paused_;
  SeekLocked(offset);
}

int64_t PartitionSlot::Position() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return next_offset_;
}

std::pair<int64_t, int64_t> PartitionSlot::Watermarks() const {
  std::lock_guard<std::mutex> lock(mutex_);
  int64_t low = -1;
  int64_t high = -1;
  if (queue_ == nullptr || rd_kafka_get_watermark_offsets(client_, topic_.c_str(), partition_, &low, &high) !=
                               RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {-1, -1};
  }
  // What lies between the last record and the end is no record: markers of transactions, or records of one that is still open.
  if (ends_ && pulled_next_ == pulled_count_) high = next_offset_;
  return {std::max<int64_t>(low, -1), std::max<int64_t>(high, -1)};
}

void PartitionSlot::End() {
  std::lock_guard<std::mutex> lock(mutex_);
  DropPulledLocked();
  seek_.reset();
  if (queue_ == nullptr) return;
  rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
  queue_.reset();
}

std::optional<PartitionSlot::SeekRequest> PartitionSlot::PendingSeek() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return seek_;
}

void PartitionSlot::FinishSeek(uint64_t generation, const Status& status) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!seek_.has_value() || seek_->generation != generation) return;
  seek_.reset();
  stopped_ = !status.ok();
  if (!status.ok()) {
    failure_ = status;
  } else if (resume_after_seek_) {
    ResumeFetchLocked();
  }
  // Polls in between found nothing, and librdkafka may have signalled before the seek was known to be done.
  if (reader_ != nullptr) reader_->Signal();
}

bool PartitionSlot::PullLocked(size_t count_max) {
  if (queue_ == nullptr || reader_ == nullptr || paused_ || seek_.has_value()) return false;
  const ssize_t count =
      rd_kafka_consume_batch_queue(queue_.get(), 0, pulled_.data(), std::min(count_max, kPullMax));
  if (count <= 0) return false;
  pulled_next_ = 0;
  pulled_count_ = static_cast<size_t>(count);
  ends_ = pulled_[pulled_count_ - 1]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
  for (size_t i = pulled_count_; i > 0; i--) {
    if (pulled_[i - 1]->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    fetch_offset_ = pulled_[i - 1]->offset + 1;
    break;
  }
  return true;
}

void PartitionSlot::DropPulledLocked() {
  while (pulled_next_ < pulled_count_) TakeNextLocked();
}

void PartitionSlot::SeekLocked(int64_t offset) {
  DropPulledLocked();
  next_offset_ = offset;
  fetch_offset_ = offset;
  ends_ = false;
  failure_ = Status::Ok();
  if (queue_ == nullptr) return;
  const bool is_asking = seek_.has_value();
  seek_ = SeekRequest{offset, ++seek_generation_, stopped_, std::chrono::steady_clock::now()};
  // One that is being asked for is looked at again when its answer has come.
  if (!is_asking) seeker_->Add(shared_from_this());
}

void PartitionSlot::ResumeFetchLocked() {
  paused_ = false;
  resume_after_seek_ = false;
  const KafkaPartitionsHandle list = ToKafka(std::vector<TopicPartition>{{topic_, partition_}});
  rd_kafka_resume_partitions(client_, list.get());
}

KafkaMessageHandle PartitionSlot::TakeNextLocked() { return KafkaMessageHandle(pulled_[pulled_next_++]); }

}  // namespace weir
