#include "restore/changelog_reader.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "common/kafka_request.h"
#include "common/kafka_status.h"

namespace weir {

namespace {

// How long the brokers may take to name a partition's end, leader changes included (Kafka Streams' task.timeout.ms);
// how long one answer may take: by then the leader may be another one; and how long a topic that was just made may be
// unknown to some of them.
constexpr int kEndTimeoutMs = 300'000;
constexpr int kAnswerTimeoutMs = 5'000;
// How long the thread's other restores may be held up by the question whether a topic is there, and who leads it.
constexpr int kTopicTimeoutMs = 1'000;
constexpr int kUnknownTopicMs = 3'000;
constexpr int kRetryMs = 100;

void OnQueueEvent(rd_kafka_t*, void* opaque) { (*static_cast<const std::function<void()>*>(opaque))(); }

std::string_view View(const void* data, size_t size) {
  // An empty key or value is no null: librdkafka gives it a pointer.
  return {static_cast<const char*>(data), size};
}

}  // namespace

ChangelogReader::ChangelogReader(std::shared_ptr<RestoreJob> job, size_t index, size_t memory_bytes)
    : job_(std::move(job)),
      index_(index),
      memory_bytes_(memory_bytes),
      position_(job_->request(index).from) {}

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
  std::optional<int64_t> offset;
  switch (state_) {
    case State::kNew:
      queue_.reset(rd_kafka_queue_new(client));
      rd_kafka_queue_cb_event_enable(queue_.get(), OnQueueEvent, const_cast<std::function<void()>*>(wake));
      if (position_ < 0) status = job_->database().ClearStore(job_->request(index_).store);
      job_->database().BeginRestore(job_->request(index_).store);
      asked_first_ms_ = MonotonicMs();
      state_ = State::kAwaitingEnd;
      if (!status.ok()) break;
      status = is_bounded() ? OnEnd(client, job_->request(index_).until)
                            : AskForOffset(client, RD_KAFKA_OFFSET_SPEC_LATEST);
      break;
    case State::kAwaitingEnd:
      status = AwaitOffset(client, RD_KAFKA_OFFSET_SPEC_LATEST, &offset);
      if (status.ok() && offset.has_value()) status = OnEnd(client, *offset);
      progressed = offset.has_value();
      break;
    case State::kAwaitingBegin:
      status = AwaitOffset(client, RD_KAFKA_OFFSET_SPEC_EARLIEST, &offset);
      progressed = offset.has_value();
      if (!status.ok() || !offset.has_value()) break;
      begin_ = std::min(*offset, end_);
      job_->SetBegin(index_, begin_);
      job_->Advance(index_, 0, begin_);
      state_ = State::kWaiting;
      // Everything was deleted, or expired.
      if (begin_ == end_) status = Finish();
      break;
    case State::kWaiting:
      break;
    case State::kReading:
      if (writer_->busy()) {
        status = writer_->Work();
        progressed = true;
        // Nothing more may be told of a partition whose end was reached.
        if (status.ok() && !writer_->busy() && position_ >= end_) status = Finish();
      } else {
        status = ReadBatch(&progressed);
      }
      break;
    case State::kWriting:
      status = writer_->Work();
      progressed = true;
      if (status.ok() && !writer_->busy()) Complete();
      break;
    case State::kEnded:
      break;
  }
  if (!status.ok()) End(std::move(status));
  return progressed && !ended();
}

Status ChangelogReader::AskForOffset(rd_kafka_t* client, int64_t which) {
  const RestoreRequest& request = job_->request(index_);
  char error[512];
  const KafkaAdminOptionsHandle options(rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_LISTOFFSETS));
  rd_kafka_error_t* const isolation =
      rd_kafka_AdminOptions_set_isolation_level(options.get(), RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED);
  Status status = TakeKafkaStatus(isolation, Name());
  if (!status.ok()) return status;
  status = KafkaStatus(
      rd_kafka_AdminOptions_set_request_timeout(options.get(), kAnswerTimeoutMs, error, sizeof(error)),
      Name());
  if (!status.ok()) return status;
  const KafkaPartitionsHandle partitions(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(partitions.get(), request.topic.c_str(), request.partition)->offset =
      which;
  rd_kafka_ListOffsets(client, partitions.get(), options.get(), queue_.get());
  ask_again_ms_ = 0;
  return Status::Ok();
}

Status ChangelogReader::AwaitOffset(rd_kafka_t* client, int64_t which, std::optional<int64_t>* offset) {
  if (ask_again_ms_ == 0) return TakeOffset(client, offset);
  return MonotonicMs() >= ask_again_ms_ ? AskForOffset(client, which) : Status::Ok();
}

// librdkafka does not ask again itself when a leader has moved.
Status ChangelogReader::MaybeAskAgain(Status status) {
  const int64_t now = MonotonicMs();
  const int64_t patience = status.code() == "kafka:UNKNOWN_TOPIC_OR_PART" ? kUnknownTopicMs : kEndTimeoutMs;
  if (!status.retriable() || now - asked_first_ms_ >= patience) return status;
  ask_again_ms_ = now + kRetryMs;
  return Status::Ok();
}

// librdkafka answers the same when the topic does not exist, and when nobody has told it yet.
Status ChangelogReader::WhyNoLeader(rd_kafka_t* client) const {
  const KafkaTopicHandle topic(rd_kafka_topic_new(client, job_->request(index_).topic.c_str(), nullptr));
  if (topic == nullptr) return KafkaStatus(rd_kafka_last_error(), Name());
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, topic.get(), &metadata, kTopicTimeoutMs);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaStatus(error, Name());
  const rd_kafka_resp_err_t topic_error =
      metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_NO_ERROR;
  rd_kafka_metadata_destroy(metadata);
  return KafkaStatus(
      topic_error == RD_KAFKA_RESP_ERR_NO_ERROR ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : topic_error,
      Name());
}

Status ChangelogReader::TakeOffset(rd_kafka_t* client, std::optional<int64_t>* offset) {
  const KafkaEventHandle event(rd_kafka_queue_poll(queue_.get(), 0));
  if (event == nullptr) return Status::Ok();
  Status status = KafkaStatus(event.get(), Name());
  if (rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR__NOENT) status = WhyNoLeader(client);
  if (!status.ok()) return MaybeAskAgain(std::move(status));
  const rd_kafka_ListOffsets_result_t* const result = rd_kafka_event_ListOffsets_result(event.get());
  if (result == nullptr) return Status::Ok();
  size_t count = 0;
  const rd_kafka_ListOffsetsResultInfo_t** const infos = rd_kafka_ListOffsets_result_infos(result, &count);
  if (count != 1) return Status("kafka:_FAIL", Name() + ": the brokers named no offset", true);
  const Result<int64_t> found = ListedOffset(infos[0], Name());
  if (!found.ok()) {
    const rd_kafka_topic_partition_t* const partition =
        rd_kafka_ListOffsetsResultInfo_topic_partition(infos[0]);
    LearnLeaders(client, partition->err, partition->topic, kTopicTimeoutMs);
    return MaybeAskAgain(found.status());
  }
  *offset = found.value();
  return Status::Ok();
}

Status ChangelogReader::OnEnd(rd_kafka_t* client, int64_t end) {
  end_ = end;
  rows_end_ = RowsEnd(end);
  begin_ = position_;
  job_->SetEnd(index_, end_);
  if (position_ > end_) {
    if (is_bounded()) return Finish();
    return Status("kafka:_AUTO_OFFSET_RESET", Name() + " ends at offset " + std::to_string(end_) +
                                                  ", before the local state's " + std::to_string(position_));
  }
  if (position_ >= 0) job_->SetBegin(index_, position_);
  if (end_ == 0) job_->SetBegin(index_, 0);
  if (position_ == end_ || end_ == 0) return Finish();
  if (job_->request(index_).stale) {
    return Status("stale",
                  Name() + ": what was deleted from it since the local state was written may be forgotten");
  }
  if (position_ >= 0) {
    state_ = State::kWaiting;
    return Status::Ok();
  }
  state_ = State::kAwaitingBegin;
  asked_first_ms_ = MonotonicMs();
  return AskForOffset(client, RD_KAFKA_OFFSET_SPEC_EARLIEST);
}

int64_t ChangelogReader::RowsEnd(int64_t end) const {
  const RestoreRequest& request = job_->request(index_);
  if (!request.takes_over || request.until < 0) return kAll;
  // Rows that are newer than what was committed are this database's own.
  const int64_t rows_end = std::max(request.until, position_);
  return rows_end > end || end - rows_end > UnusedRecords::kRecordsMax ? kAll : rows_end;
}

void ChangelogReader::GrantPlace(rd_kafka_t* client) {
  Status status = StartReading(client);
  if (!status.ok()) End(std::move(status));
}

Status ChangelogReader::StartReading(rd_kafka_t* client) {
  const RestoreRequest& request = job_->request(index_);
  Result<std::unique_ptr<RestoreWriter>> writer =
      NewRestoreWriter(job_->database(), request.store, remaining(), memory_bytes_);
  if (!writer.ok()) return writer.status();
  writer_ = std::move(writer.value());
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
  const Status status = Write(count);
  for (ssize_t i = 0; i < count; i++) rd_kafka_message_destroy(messages_[static_cast<size_t>(i)]);
  // What the writer has begun comes first.
  if (!status.ok() || writer_->busy() || position_ < end_) return status;
  return Finish();
}

Status ChangelogReader::Write(int64_t count) {
  Status status;
  int64_t read = 0;
  int64_t unused = 0;
  records_.clear();
  for (int64_t i = 0; i < count; i++) {
    const rd_kafka_message_t& message = *messages_[static_cast<size_t>(i)];
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      position_ = is_bounded() ? std::min(message.offset, end_) : message.offset;
      continue;
    }
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      // What came before is kept.
      status = KafkaStatus(message.err, Name() + " at offset " + std::to_string(position_),
                           rd_kafka_message_errstr(&message));
      break;
    }
    if (is_bounded() && message.offset >= end_) {
      position_ = end_;
      break;
    }
    position_ = message.offset + 1;
    read++;
    const bool is_unused = message.offset >= rows_end_;
    if (is_unused) unused++;
    // A record without a key is not a changelog's.
    if (message.key == nullptr) continue;
    const ChangelogRecord record{
        View(message.key, message.key_len),
        message.payload == nullptr ? std::nullopt : std::optional(View(message.payload, message.len)),
        rd_kafka_message_timestamp(&message, nullptr), message.offset};
    if (is_unused) {
      unused_.Add(record);
    } else {
      records_.push_back(record);
    }
  }
  if (read > unused) {
    const Status written = writer_->Write(records_, rows_position());
    if (!written.ok()) status = written;
  }
  job_->Advance(index_, read, position_);
  return status;
}

// The offset is written even when the last records were aborted ones or none came: the next restore begins
// here.
Status ChangelogReader::Finish() {
  StopFetching();
  if (position_ < end_) position_ = end_;
  job_->Advance(index_, 0, position_);
  job_->database().EndRestore(job_->request(index_).store);
  Status status = writer_ == nullptr
                      ? job_->database().WriteRestored(job_->request(index_).store, {}, rows_position())
                      : writer_->Finish(rows_position());
  if (!status.ok()) return status;
  state_ = State::kWriting;
  if (writer_ == nullptr || !writer_->busy()) Complete();
  return Status::Ok();
}

void ChangelogReader::Complete() {
  const RestoreRequest& request = job_->request(index_);
  End(request.takes_over ? job_->database().TakeOver(request.store, std::max(end_, position_), unused_.Keys())
                         : Status::Ok());
}

void ChangelogReader::StopFetching() {
  if (fetching_) rd_kafka_consume_stop(topic_.get(), job_->request(index_).partition);
  fetching_ = false;
  topic_.reset();
  messages_ = {};
  records_ = {};
}

void ChangelogReader::End(Status status) {
  StopFetching();
  if (queue_ != nullptr) rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  queue_.reset();
  // Before the job's end closes the database.
  writer_.reset();
  state_ = State::kEnded;
  job_->EndStore(index_, std::move(status));
}

}  // namespace weir
