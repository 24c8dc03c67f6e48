// A producer's transactions. Why each call may fail, and what then, is told in produce/transactions.h.
#include <chrono>

#include "produce/producer.h"

namespace weir {

namespace {

// How long one call may be deaf to the owner's end.
constexpr int64_t kInitCallMs = 100;
// A commit or an abort that goes on asks librdkafka's main thread for its place again, and that question has the call's time-out, too: when it is not
// answered in time, librdkafka (2.15.1) forgets which of the two is under way, and ends the process when the broker answers. So no such
// call is a short one.
constexpr int64_t kEndCallMs = 5'000;

Status ClosedProducer() { return Status::Closed("The producer"); }

}  // namespace

Status Producer::Resume(int64_t timeout_ms, int64_t call_ms,
                        const std::function<Status(rd_kafka_t*, int)>& call) {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    if (closed_ || client_ == nullptr || owner_.cancelled()) return ClosedProducer();
    const Status status = call(client_.get(), static_cast<int>(call_ms));
    const bool goes_on = status.retriable() && status.code() == "kafka:_TIMED_OUT";
    if (!goes_on || std::chrono::steady_clock::now() >= deadline) return status;
  }
}

Status Producer::InitTransactions(int64_t timeout_ms) {
  return Resume(timeout_ms, kInitCallMs, weir::InitTransactions);
}

Status Producer::BeginTransaction() {
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (closed_ || client_ == nullptr) return ClosedProducer();
  return weir::BeginTransaction(client_.get());
}

Status Producer::SendOffsets(const std::vector<TopicPartitionOffset>& offsets, const GroupMember& member,
                             int64_t timeout_ms) {
  // Not one that goes on after a time-out: it is given all the time at once.
  std::shared_lock<std::shared_mutex> lock(lifetime_);
  if (closed_ || client_ == nullptr) return ClosedProducer();
  return weir::SendOffsets(client_.get(), offsets, member, static_cast<int>(timeout_ms));
}

Status Producer::CommitTransaction(int64_t timeout_ms) {
  return Resume(timeout_ms, kEndCallMs, weir::CommitTransaction);
}

Status Producer::AbortTransaction(int64_t timeout_ms) {
  const Status aborted = Resume(timeout_ms, kEndCallMs, weir::AbortTransaction);
  if (!aborted.ok()) return aborted;
  // What could not be delivered was part of it. Reports come before the abort ends, since librdkafka counts a record until then.
  std::lock_guard<std::mutex> lock(first_error_mutex_);
  if (failed_ && !first_error_.fatal()) {
    failed_.store(false, std::memory_order_release);
    first_error_ = Status::Ok();
  }
  return aborted;
}

Status Producer::Restart() {
  {
    std::shared_lock<std::shared_mutex> lock(lifetime_);
    if (closed_) return ClosedProducer();
    Purge();
  }
  std::unique_lock<std::shared_mutex> lock(lifetime_);
  if (closed_) return ClosedProducer();
  if (client_ != nullptr) Shut();
  {
    std::lock_guard<std::mutex> errors(first_error_mutex_);
    failed_.store(false, std::memory_order_release);
    first_error_ = Status::Ok();
  }
  for (const auto& topic : topics_) topic->ForgetDelivered();
  room_.Reset();
  const Status opened = Open();
  room_.TellWaiters(opened);
  return opened;
}

}  // namespace weir
