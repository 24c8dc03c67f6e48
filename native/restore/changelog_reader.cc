#include "restore/changelog_reader.h"

#include <optional>
#include <string_view>

#include "common/kafka_status.h"

namespace weir {

namespace {

// How long the brokers may take to name a partition's end, leader changes included; and how long a topic that
// was just made may be unknown to some of them.
constexpr int kEndTimeoutMs = 30'000;
constexpr int kUnknownTopicMs = 3'000;
constexpr int kRetryMs = 100;

void OnQueueEvent(rd_kafka_t*, void* opaque) { (*static_cast<const std::function<void()>*>(opaque))(); }

std::string_view View(const void* data, size_t size) {
  // An empty key or value is no null: librdkafka gives it a pointer.
  return {static_cast<const char*>(data), size};
}

}  // namespace

ChangelogReader::ChangelogReader(std::shared_ptr<RestoreJob> job, size_t index)
    : job_(std::move(job)), index_(index), position_(job_->request(index).from) {}

ChangelogReader::~ChangelogReader() = default;

std::string ChangelogReader::Name() const {
  const RestoreRequest& request = job_->request(index_);
  return "The changelog " + request.topic + "[" + std::to_string(request.partition) + "]";
}

bool ChangelogReader::ReadsSamePartition(const ChangelogReader& other) const {
  const RestoreRequest& mine = job_->request(index_);
  const RestoreRequest& theirs = other.job_->request(other.index_);
  return mine.partition == theirs.partition && mine.topic == theirs.topic;
}

bool ChangelogReader::Step(rd_kafka_t* client, const std::function<void()>* wake) {
  if (job_->ending()) {
    End(Status::Ok());
    return false;
  }
  Status status;
  bool progressed = false;
  switch (state_) {
    case State::kNew:
      queue_.reset(rd_kafka_queue_new(client));
      rd_kafka_queue_cb_event_enable(queue_.get(), OnQueueEvent, const_cast<std::function<void()>*>(wake));
      asked_first_ms_ = MonotonicMs();
      if (position_ < 0) status = job_->database().ClearStore(job_->request(index_).store);
      if (status.ok()) status = AskForEnd(client);
      break;
    case State::kAwaitingEnd:
      status = ask_again_ms_ == 0 ? TakeEnd(&progressed) : Status::Ok();
      if (ask_again_ms_ != 0 && MonotonicMs() >= ask_again_ms_) status = AskForEnd(client);
      if (status.ok() && progressed && state_ == State::kAwaitingEnd) status = StartReading(client);
      break;
    case State::kReading:
      status = ReadBatch(&progressed);
      break;
    case State::kEnded:
      break;
  }
  if (!status.ok()) End(std::move(status));
  return progressed && !ended();
}

Status ChangelogReader::AskForEnd(rd_kafka_t* client) {
  const RestoreRequest& request = job_->request(index_);
  char error[512];
  const KafkaAdminOptionsHandle options(rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_LISTOFFSETS));
  rd_kafka_error_t* const isolation =
      rd_kafka_AdminOptions_set_isolation_level(options.get(), RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED);
  Status status = TakeKafkaStatus(isolation, Name());
  if (!status.ok()) return status;
  status = KafkaStatus(
      rd_kafka_AdminOptions_set_request_timeout(options.get(), kEndTimeoutMs, error, sizeof(error)), Name());
  if (!status.ok()) return status;
  const KafkaPartitionsHandle partitions(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(partitions.get(), request.topic.c_str(), request.partition)->offset =
      RD_KAFKA_OFFSET_SPEC_LATEST;
  rd_kafka_ListOffsets(client, partitions.get(), options.get(), queue_.get());
  state_ = State::kAwaitingEnd;
  ask_again_ms_ = 0;
  return Status::Ok();
}

// librdkafka does not ask again itself when a leader has moved.
Status ChangelogReader::MaybeAskAgain(rd_kafka_resp_err_t error, Status status) {
  const int64_t now = MonotonicMs();
  const int64_t patience = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ? kUnknownTopicMs : kEndTimeoutMs;
  if (!status.retriable() || now - asked_first_ms_ >= patience) return status;
  ask_again_ms_ = now + kRetryMs;
  return Status::Ok();
}

Status ChangelogReader::TakeEnd(bool* progressed) {
  const KafkaEventHandle event(rd_kafka_queue_poll(queue_.get(), 0));
  if (event == nullptr) return Status::Ok();
  Status status =
      KafkaStatus(rd_kafka_event_error(event.get()), Name(), rd_kafka_event_error_string(event.get()));
  if (!status.ok()) return MaybeAskAgain(rd_kafka_event_error(event.get()), std::move(status));
  const rd_kafka_ListOffsets_result_t* const result = rd_kafka_event_ListOffsets_result(event.get());
  if (result == nullptr) return Status::Ok();
  size_t count = 0;
  const rd_kafka_ListOffsetsResultInfo_t** const infos = rd_kafka_ListOffsets_result_infos(result, &count);
  if (count != 1) return Status("kafka:_FAIL", Name() + ": the brokers named no end", true);
  const rd_kafka_topic_partition_t* const end = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[0]);
  status = KafkaStatus(end->err, Name());
  if (!status.ok()) return MaybeAskAgain(end->err, std::move(status));
  *progressed = true;
  end_ = end->offset;
  job_->SetEnd(index_, end_);
  if (position_ > end_) {
    return Status("kafka:_AUTO_OFFSET_RESET", Name() + " ends at offset " + std::to_string(end_) +
                                                  ", before the local state's " + std::to_string(position_));
  }
  return position_ == end_ || end_ == 0 ? Finish() : Status::Ok();
}

Status ChangelogReader::StartReading(rd_kafka_t* client) {
  const RestoreRequest& request = job_->request(index_);
  topic_.reset(rd_kafka_topic_new(client, request.topic.c_str(), nullptr));
  if (topic_ == nullptr) return KafkaStatus(rd_kafka_last_error(), Name());
  const int64_t from = request.from < 0 ? static_cast<int64_t>(RD_KAFKA_OFFSET_BEGINNING) : request.from;
  if (rd_kafka_consume_start_queue(topic_.get(), request.partition, from, queue_.get()) != 0) {
    return KafkaStatus(rd_kafka_last_error(), Name());
  }
  fetching_ = true;
  messages_.resize(kBatchMax);
  state_ = State::kReading;
  return Status::Ok();
}

Status ChangelogReader::ReadBatch(bool* progressed) {
  const ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), 0, messages_.data(), messages_.size());
  if (count < 0) return KafkaStatus(rd_kafka_last_error(), Name());
  if (count == 0) return Status::Ok();
  *progressed = true;
  Status status;
  int64_t records = 0;
  run_.Clear();
  for (ssize_t i = 0; i < count; i++) {
    const rd_kafka_message_t& message = *messages_[static_cast<size_t>(i)];
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      position_ = message.offset;
      continue;
    }
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      // What came before is kept.
      status = KafkaStatus(message.err, Name() + " at offset " + std::to_string(position_),
                           rd_kafka_message_errstr(&message));
      break;
    }
    position_ = message.offset + 1;
    records++;
    // A record without a key is not a changelog's.
    if (message.key == nullptr) continue;
    run_.Add({View(message.key, message.key_len),
              message.payload == nullptr ? std::nullopt : std::optional(View(message.payload, message.len)),
              rd_kafka_message_timestamp(&message, nullptr)});
  }
  if (records > 0) {
    const Status written =
        job_->database().WriteRestored(job_->request(index_).store, run_.Sorted(), position_);
    if (!written.ok()) status = written;
  }
  for (ssize_t i = 0; i < count; i++) rd_kafka_message_destroy(messages_[static_cast<size_t>(i)]);
  job_->Advance(index_, records, position_);
  if (!status.ok()) return status;
  return position_ >= end_ ? Finish() : Status::Ok();
}

// The offset is written even when the last records were aborted ones or none came: the next restore begins
// here.
Status ChangelogReader::Finish() {
  if (position_ < end_) position_ = end_;
  Status status = job_->database().WriteRestored(job_->request(index_).store, {}, position_);
  if (!status.ok()) return status;
  job_->Advance(index_, 0, position_);
  End(Status::Ok());
  return Status::Ok();
}

void ChangelogReader::End(Status status) {
  if (fetching_) rd_kafka_consume_stop(topic_.get(), job_->request(index_).partition);
  if (queue_ != nullptr) rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  topic_.reset();
  queue_.reset();
  messages_ = {};
  state_ = State::kEnded;
  job_->EndStore(index_, std::move(status));
}

}  // namespace weir
