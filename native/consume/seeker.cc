#include "consume/seeker.h"

#include <chrono>
#include <utility>

#include "common/kafka_status.h"
#include "common/thread_pool.h"
#include "common/topic_partition.h"
#include "consume/partition_slot.h"

namespace weir {

namespace {

constexpr int kSeekTimeoutMs = 500;
constexpr auto kRetryDelay = std::chrono::milliseconds(10);
// A partition that has not started by then has been stopped.
constexpr auto kStartMax = std::chrono::seconds(10);

// The partition has not started, is stopping, or the answer is still under way.
bool AskAgain(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Seeker::Add(std::shared_ptr<PartitionSlot> slot) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_) return;
  waiting_.push_back(std::move(slot));
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.notify_one();
}

void Seeker::Stop() {
  std::thread thread;
  Slots dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    thread.swap(thread_);
    dropped.swap(waiting_);
  }
  changed_.notify_one();
  if (thread.joinable()) thread.join();
}

void Seeker::Run() {
  SetThreadName("weir-seek");
  Slots again;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopped_) {
    if (again.empty()) {
      changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    } else {
      changed_.wait_for(lock, kRetryDelay, [this] { return stopped_ || !waiting_.empty(); });
    }
    if (stopped_) return;
    Slots slots = std::exchange(waiting_, {});
    for (auto& slot : again) slots.push_back(std::move(slot));
    lock.unlock();
    again = SeekAll(std::move(slots));
    lock.lock();
  }
}

Seeker::Slots Seeker::SeekAll(Slots slots) {
  std::lock_guard<std::mutex> in_flight(in_flight_);
  const KafkaPartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(slots.size())));
  Slots again;
  std::vector<std::pair<std::shared_ptr<PartitionSlot>, uint64_t>> asked;
  for (auto& slot : slots) {
    const auto seek = slot->PendingSeek();
    if (!seek.has_value()) continue;
    // One that was taken back and asked for anew is listed twice.
    if (rd_kafka_topic_partition_list_find(list.get(), slot->topic().c_str(), slot->partition()) != nullptr)
      continue;
    if (seek->stopped || std::chrono::steady_clock::now() - seek->asked > kStartMax) {
      Restart(slot.get(), seek->offset, seek->generation);
      if (slot->PendingSeek().has_value()) again.push_back(std::move(slot));
      continue;
    }
    rd_kafka_topic_partition_list_add(list.get(), slot->topic().c_str(), slot->partition())->offset =
        seek->offset;
    asked.emplace_back(std::move(slot), seek->generation);
  }
  if (asked.empty()) return again;

  // An error of the whole call (a time-out) leaves _IN_PROGRESS at the partitions it concerns.
  (void)TakeKafkaStatus(rd_kafka_seek_partitions(client_, list.get(), kSeekTimeoutMs), "Consumer: seek");
  for (auto& [slot, generation] : asked) {
    const rd_kafka_topic_partition_t* result =
        rd_kafka_topic_partition_list_find(list.get(), slot->topic().c_str(), slot->partition());
    if (!AskAgain(result->err)) {
      slot->FinishSeek(generation, KafkaStatus(result->err, "Consumer: seek of " +
                                                                Describe(slot->topic(), slot->partition())));
    }
    // Not confirmed, or asked for another offset meanwhile.
    if (slot->PendingSeek().has_value()) again.push_back(slot);
  }
  return again;
}

void Seeker::Restart(PartitionSlot* slot, int64_t offset, uint64_t generation) {
  const std::string name = Describe(slot->topic(), slot->partition());
  if (in_group_) {
    slot->FinishSeek(generation,
                     KafkaStatus(RD_KAFKA_RESP_ERR__STATE, "Consumer: seek of " + name,
                                 "librdkafka has stopped fetching it; only a new assignment goes on"));
    return;
  }
  const KafkaPartitionsHandle list =
      ToKafka(std::vector<TopicPartitionOffset>{{slot->topic(), slot->partition(), offset, ""}});
  Status status =
      TakeKafkaStatus(rd_kafka_incremental_unassign(client_, list.get()), "Consumer: restart of " + name);
  list->elems[0].offset = offset;
  if (status.ok()) {
    status =
        TakeKafkaStatus(rd_kafka_incremental_assign(client_, list.get()), "Consumer: restart of " + name);
  }
  slot->FinishSeek(generation, status);
}

}  // namespace weir
