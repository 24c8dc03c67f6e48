#include "consume/consumer.h"

#include <chrono>
#include <cstring>

#include "common/kafka_status.h"
#include "common/thread_pool.h"
#include "consume/consumer_registry.h"
#include "consume/group_offsets.h"

namespace weir {

namespace {

constexpr int kPollTimeoutMs = 100;
constexpr auto kCheckInterval = std::chrono::milliseconds(10);
// An abandoned client waits this long for the coordinator to hear that it leaves.
constexpr auto kLeaveMax = std::chrono::seconds(3);

Status ClosedConsumer() { return Status::Closed("The consumer"); }

}  // namespace

Result<std::shared_ptr<Consumer>> Consumer::Create(const KafkaConfig& config, ConsumerEventHandler on_event) {
  Result<KafkaConfHandle> conf = BuildKafkaConf(config, {{"enable.auto.commit", "false"},
                                                         {"enable.auto.offset.store", "false"},
                                                         {"auto.offset.reset", "error"}});
  if (!conf.ok()) return conf.status();
  if (config.count("group.id") == 0) return Status::Invalid("Kafka client setting group.id is missing");
  rd_kafka_conf_set_events(conf.value().get(), RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR |
                                                   RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_OFFSET_COMMIT);
  char isolation[32] = "";
  size_t isolation_size = sizeof(isolation);
  rd_kafka_conf_get(conf.value().get(), "isolation.level", isolation, &isolation_size);
  Result<KafkaClientHandle> client = NewKafkaClient(RD_KAFKA_CONSUMER, std::move(conf.value()));
  if (!client.ok()) return client.status();
  const rd_kafka_IsolationLevel_t level = std::strcmp(isolation, "read_uncommitted") == 0
                                              ? RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED
                                              : RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED;
  std::shared_ptr<Consumer> consumer(
      new Consumer(std::move(client.value()), config.at("group.id"), level, std::move(on_event)));
  ConsumerRegistry::Add(consumer->id(), consumer);
  return consumer;
}

std::shared_ptr<Consumer> Consumer::Find(int64_t id) { return ConsumerRegistry::Find(id); }

Consumer::Consumer(KafkaClientHandle client, std::string group, rd_kafka_IsolationLevel_t isolation,
                   ConsumerEventHandler on_event)
    : id_(ConsumerRegistry::NextId()),
      group_(std::move(group)),
      isolation_(isolation),
      on_event_(std::move(on_event)),
      client_(std::move(client)) {
  rd_kafka_poll_set_consumer(client_.get());
  queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
  seeker_ = std::make_unique<Seeker>(client_.get(), subscribed_);
  events_ = std::thread([this] { RunEvents(); });
}

Consumer::~Consumer() {
  Abandon();
  ConsumerRegistry::Remove(id_);
}

Status Consumer::Subscribe(const std::vector<std::string>& topics) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedConsumer();
  if (topics.empty()) return KafkaStatus(rd_kafka_unsubscribe(client_.get()), "Consumer: unsubscribe");
  std::vector<TopicPartition> list;
  for (const std::string& topic : topics) list.push_back({topic, RD_KAFKA_PARTITION_UA});
  subscribed_ = true;
  return KafkaStatus(rd_kafka_subscribe(client_.get(), ToKafka(list).get()), "Consumer: subscribe");
}

Status Consumer::Assign(const std::vector<TopicPartitionOffset>& offsets) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedConsumer();
  std::lock_guard<std::mutex> group_lock(group_mutex_);
  const Result<bool> eager = IsEager();
  if (!eager.ok()) return eager.status();
  Slots added;
  {
    std::lock_guard<std::mutex> slots_lock(slots_mutex_);
    for (const TopicPartitionOffset& each : offsets) {
      const std::string name = Describe(each.topic, each.partition);
      if (each.offset < 0)
        return Status::Invalid("Consumer.assign: " + name + " needs an offset of 0 or above");
      if (slots_.count({each.topic, each.partition}) != 0 || added.count({each.topic, each.partition}) != 0) {
        return Status::Invalid("Consumer.assign: " + name + " is already assigned");
      }
      KafkaQueueHandle queue(rd_kafka_queue_get_partition(client_.get(), each.topic.c_str(), each.partition));
      if (queue == nullptr) return Status::Invalid("Consumer.assign: " + name + " has no queue");
      rd_kafka_queue_forward(queue.get(), nullptr);
      added.emplace(TopicPartition{each.topic, each.partition},
                    std::make_shared<PartitionSlot>(client_.get(), seeker_.get(), each.topic, each.partition,
                                                    std::move(queue), each.offset));
    }
    if (eager.value() && !slots_.empty()) {
      return Status::Invalid(
          "Consumer.assign: under the eager protocol everything must have been unassigned before");
    }
  }
  const KafkaPartitionsHandle list = ToKafka(offsets);
  const Status status =
      eager.value()
          ? KafkaStatus(rd_kafka_assign(client_.get(), list.get()), "Consumer: assign")
          : TakeKafkaStatus(rd_kafka_incremental_assign(client_.get(), list.get()), "Consumer: assign");
  if (!status.ok()) return status;
  unanswered_ = false;
  std::lock_guard<std::mutex> slots_lock(slots_mutex_);
  slots_.merge(added);
  return status;
}

Status Consumer::Unassign(const std::vector<TopicPartition>& partitions) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedConsumer();
  std::lock_guard<std::mutex> group_lock(group_mutex_);
  const Result<bool> eager = IsEager();
  if (!eager.ok()) return eager.status();
  // What is not assigned any more is left out: librdkafka refuses a list that names it.
  std::vector<TopicPartition> assigned;
  {
    std::lock_guard<std::mutex> in_flight(seeker_->in_flight());
    std::lock_guard<std::mutex> slots_lock(slots_mutex_);
    Slots ended;
    for (const TopicPartition& each : partitions) {
      const auto found = slots_.find(each);
      if (found != slots_.end()) ended.insert(*found);
    }
    if (eager.value() && ended.size() < slots_.size()) {
      return Status::Invalid("Consumer.unassign: under the eager protocol everything is unassigned at once");
    }
    for (const auto& [name, slot] : ended) {
      slot->End();
      slots_.erase(name);
      assigned.push_back(name);
    }
  }
  const Status status =
      eager.value() ? KafkaStatus(rd_kafka_assign(client_.get(), nullptr), "Consumer: unassign")
                    : TakeKafkaStatus(rd_kafka_incremental_unassign(client_.get(), ToKafka(assigned).get()),
                                      "Consumer: unassign");
  if (status.ok()) unanswered_ = false;
  return status;
}

Result<std::vector<TopicPartitionOffset>> Consumer::Committed(const std::vector<TopicPartition>& partitions,
                                                              int timeout_ms,
                                                              const Cancellation& cancellation) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedConsumer();
  return AskStableOffsets(Request("Consumer: committed offsets", timeout_ms, cancellation), group_,
                          partitions);
}

Status Consumer::Commit(const std::vector<TopicPartitionOffset>& offsets, const Cancellation& cancellation) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedConsumer();
  return CommitOffsets(client_.get(), offsets, IsEnding(cancellation));
}

Result<std::pair<int64_t, int64_t>> Consumer::QueryWatermarks(const std::string& topic, int32_t partition,
                                                              int timeout_ms, bool uncommitted,
                                                              const Cancellation& cancellation) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedConsumer();
  return AskWatermarks(Request("Consumer: watermarks", timeout_ms, cancellation), {topic, partition},
                       uncommitted ? RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED : isolation_);
}

Result<Consumer::Membership> Consumer::GroupMetadata() {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (client_ == nullptr) return ClosedConsumer();
  const KafkaHandle<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy> metadata(
      rd_kafka_consumer_group_metadata(client_.get()));
  if (metadata == nullptr) return Membership{"", -1};
  const char* member_id = rd_kafka_consumer_group_metadata_member_id(metadata.get());
  return Membership{member_id == nullptr ? "" : member_id,
                    rd_kafka_consumer_group_metadata_generation_id(metadata.get())};
}

Status Consumer::Close(const Cancellation& cancellation) {
  std::lock_guard<std::mutex> lock(closing_);
  if (client_ == nullptr) return Status::Ok();
  Leave(cancellation);
  Destroy();
  return Status::Ok();
}

void Consumer::Abandon() {
  alone_ = true;
  std::lock_guard<std::mutex> lock(closing_);
  if (client_ == nullptr) return;
  Leave(Cancellation());
  Destroy();
}

Result<std::shared_ptr<PartitionSlot>> Consumer::FindSlot(const std::string& topic, int32_t partition) {
  std::lock_guard<std::mutex> lock(slots_mutex_);
  const auto found = slots_.find({topic, partition});
  if (found == slots_.end()) return Status::Closed("The assignment of " + Describe(topic, partition));
  return found->second;
}

void Consumer::RunEvents() {
  SetThreadName("weir-group");
  bool closing = false;
  bool answered_alone = false;
  std::chrono::steady_clock::time_point deadline;
  while (true) {
    if (leaving_ && !closing) {
      closing = true;
      if (!BeginClose()) break;
    }
    if (closing && alone_ && !answered_alone) {
      answered_alone = true;
      deadline = std::chrono::steady_clock::now() + kLeaveMax;
      GiveUpAll();
    }
    if (closing && rd_kafka_consumer_closed(client_.get()) != 0) break;
    if (answered_alone && std::chrono::steady_clock::now() > deadline) break;
    const KafkaEventHandle event(rd_kafka_queue_poll(queue_.get(), kPollTimeoutMs));
    if (event != nullptr) Handle(event.get());
  }
  events_ended_ = true;
}

bool Consumer::BeginClose() {
  seeker_->Stop();
  close_begun_ = true;
  rd_kafka_error_t* error = rd_kafka_consumer_close_queue(client_.get(), queue_.get());
  if (error == nullptr) return true;
  // After a fatal error the client is no member any more, but may still wait for an answer.
  rd_kafka_error_destroy(error);
  GiveUpAll();
  return false;
}

void Consumer::Handle(rd_kafka_event_t* event) {
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_REBALANCE:
      HandleRebalance(event);
      break;
    case RD_KAFKA_EVENT_ERROR:
      HandleError(event);
      break;
    case RD_KAFKA_EVENT_FETCH:
      for (ConsumerEvent& stray : StrayEvents(event)) on_event_(std::move(stray));
      break;
    default:
      break;
  }
}

void Consumer::HandleRebalance(rd_kafka_event_t* event) {
  const rd_kafka_resp_err_t rebalance = rd_kafka_event_error(event);
  const bool is_assign = rebalance == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  {
    std::lock_guard<std::mutex> group_lock(group_mutex_);
    unanswered_ = true;
  }
  if (!is_assign && rebalance != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
    // A failed rebalance: librdkafka wants an empty assignment before it joins again.
    GiveUpAll();
    HandleError(event);
    return;
  }
  // What is granted to a client that leaves is given back, and nobody answers for an abandoned one.
  if (close_begun_ && (alone_ || is_assign)) {
    GiveUpAll();
    return;
  }
  on_event_(RebalanceEvent(client_.get(), event));
}

void Consumer::HandleError(rd_kafka_event_t* event) {
  ConsumerEvent told = ErrorEvent(client_.get(), event);
  if (!told.error.ok()) on_event_(std::move(told));
}

KafkaRequest Consumer::Request(const std::string& what, int timeout_ms,
                               const Cancellation& cancellation) const {
  return {client_.get(), what, timeout_ms, IsEnding(cancellation)};
}

std::function<bool()> Consumer::IsEnding(const Cancellation& cancellation) const {
  return [this, cancellation] { return cancellation.cancelled() || alone_; };
}

void Consumer::GiveUpAll() {
  std::lock_guard<std::mutex> group_lock(group_mutex_);
  if (!unanswered_) return;
  unanswered_ = false;
  rd_kafka_assign(client_.get(), nullptr);
}

Result<bool> Consumer::IsEager() const {
  // Without a group (partitions assigned by hand) librdkafka takes increments too.
  if (!subscribed_) return false;
  const char* protocol = rd_kafka_rebalance_protocol(client_.get());
  if (protocol == nullptr) return ClosedConsumer();
  return std::strcmp(protocol, "COOPERATIVE") != 0;
}

void Consumer::Leave(const Cancellation& cancellation) {
  leaving_ = true;
  rd_kafka_queue_yield(queue_.get());
  while (!events_ended_) {
    if (cancellation.cancelled()) alone_ = true;
    std::this_thread::sleep_for(kCheckInterval);
  }
  events_.join();
}

void Consumer::Destroy() {
  alone_ = true;  // ends commits that wait for an answer
  seeker_->Stop();
  std::unique_lock<std::shared_mutex> lock(lifetime_);
  {
    std::lock_guard<std::mutex> slots_lock(slots_mutex_);
    for (const auto& [name, slot] : slots_) slot->End();
    slots_.clear();
  }
  queue_.reset();
  // The group was left already, or does not answer.
  rd_kafka_destroy_flags(client_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

}  // namespace weir
