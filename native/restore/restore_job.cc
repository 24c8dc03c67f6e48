#include "restore/restore_job.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/kafka_status.h"
#include "common/topic_partition.h"

namespace weir {

namespace {

constexpr int kPollMs = 100;
constexpr int kRequestMs = 30000;
constexpr size_t kBatchMax = 8192;

std::string RestoreOf(const RestoreStore& store) { return "Restoring from " + Describe(store.topic, store.partition); }

// Keeps the last record of each key, in key order: what RocksDB inserts fastest.
void SortLastOfEachKey(std::vector<ChangelogRecord>* records) {
  std::stable_sort(records->begin(), records->end(),
                   [](const ChangelogRecord& a, const ChangelogRecord& b) { return a.key < b.key; });
  size_t kept = 0;
  for (size_t i = 0; i < records->size(); i++) {
    const bool superseded = i + 1 < records->size() && (*records)[i + 1].key == (*records)[i].key;
    if (!superseded) (*records)[kept++] = (*records)[i];
  }
  records->resize(kept);
}

}  // namespace

RestoreJob::RestoreJob(std::shared_ptr<TaskDatabase> database, std::vector<RestoreStore> stores, const Cancellation& ending)
    : database_(std::move(database)), ending_(ending) {
  for (RestoreStore& store : stores) partitions_.push_back(std::make_unique<Partition>(std::move(store)));
}

Status RestoreJob::Run(const KafkaConfig& config, rd_kafka_t* ends) {
  for (const auto& partition : partitions_) {
    Status status = FindRange(partition.get(), ends);
    if (!status.ok()) return status;
  }
  std::vector<TopicPartitionOffset> assignment;
  for (const auto& partition : partitions_) {
    if (!partition->done) assignment.push_back({partition->store.topic, partition->store.partition, partition->position, ""});
  }
  if (assignment.empty()) return Status::Ok();

  Result<KafkaConfHandle> conf = BuildKafkaConf(config, {{"enable.auto.commit", "false"},
                                                         {"enable.auto.offset.store", "false"},
                                                         {"auto.offset.reset", "error"},
                                                         {"isolation.level", "read_committed"},
                                                         {"enable.partition.eof", "true"}});
  if (!conf.ok()) return conf.status();
  Result<KafkaClientHandle> consumer = NewKafkaClient(RD_KAFKA_CONSUMER, std::move(conf.value()));
  if (!consumer.ok()) return consumer.status();
  rd_kafka_poll_set_consumer(consumer.value().get());
  const KafkaPartitionsHandle list = ToKafka(assignment);
  Status status = KafkaStatus(rd_kafka_assign(consumer.value().get(), list.get()), "Restoring " + database_->path());
  if (status.ok()) status = Consume(consumer.value().get());
  rd_kafka_assign(consumer.value().get(), nullptr);
  return status;
}

Status RestoreJob::FindRange(Partition* partition, rd_kafka_t* ends) const {
  const RestoreStore& store = partition->store;
  int64_t low = 0;
  int64_t high = 0;
  while (true) {
    if (Ending()) return Status::Closed("The restore of " + database_->path());
    Status status =
        KafkaStatus(rd_kafka_query_watermark_offsets(ends, store.topic.c_str(), store.partition, &low, &high, kRequestMs),
                    "The end of " + Describe(store.topic, store.partition));
    if (status.ok()) break;
    if (!status.retriable()) return status;
  }
  if (store.from > high || (store.from >= 0 && store.from < low)) {
    return KafkaStatus(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RestoreOf(store),
                       "offset " + std::to_string(store.from) + " is outside of " + std::to_string(low) + " to " +
                           std::to_string(high));
  }
  if (store.from < 0) {
    Status status = database_->ClearStore(store.store);
    if (!status.ok()) return status;
  }
  partition->position = store.from < 0 ? low : store.from;
  partition->end = high;
  partition->done = partition->position >= high;
  if (partition->done && store.from < 0) return database_->WriteRestored(store.store, {}, high);
  return Status::Ok();
}

Status RestoreJob::Consume(rd_kafka_t* consumer) {
  const KafkaQueueHandle queue(rd_kafka_queue_get_consumer(consumer));
  std::array<rd_kafka_message_t*, kBatchMax> messages;
  while (std::any_of(partitions_.begin(), partitions_.end(), [](const auto& partition) { return !partition->done; })) {
    if (Ending()) return Status::Closed("The restore of " + database_->path());
    const ssize_t count = rd_kafka_consume_batch_queue(queue.get(), kPollMs, messages.data(), messages.size());
    if (count < 0) return KafkaStatus(rd_kafka_last_error(), "Restoring " + database_->path());
    Status status;
    for (ssize_t i = 0; i < count && status.ok(); i++) status = Take(messages[i]);
    // The records point into the messages.
    if (status.ok()) status = WriteBatch();
    for (ssize_t i = 0; i < count; i++) rd_kafka_message_destroy(messages[i]);
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

Status RestoreJob::Take(const rd_kafka_message_t* message) {
  if (message->rkt == nullptr) {
    // An error of the client as a whole; librdkafka goes on by itself unless it is fatal.
    return message->err == RD_KAFKA_RESP_ERR__FATAL ? KafkaStatus(message->err, "Restoring " + database_->path()) : Status::Ok();
  }
  Partition* const partition = Find(rd_kafka_topic_name(message->rkt), message->partition);
  if (partition == nullptr || partition->done) return Status::Ok();
  switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      break;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      partition->batch_position = message->offset;
      partition->touched = true;
      return Status::Ok();
    default:
      return KafkaStatus(message->err, RestoreOf(partition->store), rd_kafka_message_errstr(message));
  }
  partition->touched = true;
  partition->batch_position = message->offset + 1;
  // A changelog's record without a key is nobody's row.
  if (message->key == nullptr) return Status::Ok();
  rd_kafka_timestamp_type_t timestamp_type;
  ChangelogRecord record{{static_cast<const char*>(message->key), message->key_len},
                         std::nullopt,
                         rd_kafka_message_timestamp(message, &timestamp_type)};
  if (message->payload != nullptr) record.value = std::string_view(static_cast<const char*>(message->payload), message->len);
  partition->records.push_back(record);
  return Status::Ok();
}

Status RestoreJob::WriteBatch() {
  for (const auto& partition : partitions_) {
    if (!partition->touched) continue;
    const auto read = static_cast<int64_t>(partition->records.size());
    SortLastOfEachKey(&partition->records);
    Status status = database_->WriteRestored(partition->store.store, partition->records, partition->batch_position);
    if (!status.ok()) return status;
    partition->records.clear();
    partition->touched = false;
    partition->restored += read;
    partition->position = partition->batch_position;
    partition->done = partition->position >= partition->end;
  }
  return Status::Ok();
}

RestoreJob::Partition* RestoreJob::Find(const char* topic, int32_t partition) {
  for (const auto& candidate : partitions_) {
    if (candidate->store.partition == partition && candidate->store.topic == topic) return candidate.get();
  }
  return nullptr;
}

std::vector<RestoreProgress> RestoreJob::Progress() const {
  std::vector<RestoreProgress> progress;
  for (const auto& partition : partitions_) {
    progress.push_back({partition->store.store, partition->restored, partition->position, partition->end});
  }
  return progress;
}

}  // namespace weir
