#include "restore/restore_thread.h"

#include <algorithm>
#include <chrono>

#include "common/kafka_request.h"
#include "common/thread_pool.h"

namespace weir {

namespace {

// What a reader's correctness rests on. There is no group: partitions are started by hand, and nothing is
// committed.
const RequiredSettings kRequired = {
    {"isolation.level", "read_committed"}, {"enable.partition.eof", "true"},
    {"auto.offset.reset", "error"},        {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"}, {"allow.auto.create.topics", "false"},
};

// While readers are active the client's own events are taken at least this often.
constexpr auto kPollInterval = std::chrono::milliseconds(100);

// A client is kept so long without readers. A new one may take a second and more until it knows its topics'
// leaders, and tasks are often restored one after the other.
constexpr auto kClientIdle = std::chrono::seconds(10);

// How long the readers of other topics may be held up by the question who leads one.
constexpr int kLeadersTimeoutMs = 1'000;

Result<KafkaClientHandle> NewRestoreClient(const KafkaConfig& config) {
  Result<KafkaConfHandle> conf = BuildKafkaConf(config, kRequired);
  if (!conf.ok()) return conf.status();
  // The main consumer and the producers talk to the same brokers and report what is wrong with them.
  rd_kafka_conf_set_log_cb(conf.value().get(), nullptr);
  return NewKafkaClient(RD_KAFKA_CONSUMER, std::move(conf.value()));
}

}  // namespace

RestoreThread::RestoreThread(KafkaConfig config, RestorePlaces places)
    : config_(std::move(config)), places_(places), wake_([this] { Wake(); }), thread_([this] { Run(); }) {}

RestoreThread::~RestoreThread() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void RestoreThread::Add(std::unique_ptr<ChangelogReader> reader) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    added_.push_back(std::move(reader));
    load_++;
    signalled_ = true;
  }
  changed_.notify_one();
}

size_t RestoreThread::load() {
  std::lock_guard<std::mutex> lock(mutex_);
  return load_;
}

void RestoreThread::Wake() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    signalled_ = true;
  }
  changed_.notify_one();
}

void RestoreThread::Run() {
  SetThreadName("weir-restore");
  bool progressed = false;
  while (TakeAdded(/*wait=*/!progressed)) {
    if (readers_.empty()) {
      progressed = false;
      DropIdleClient();
      continue;
    }
    progressed = EnsureClient() && StepAll();
    last_read_ = std::chrono::steady_clock::now();
  }
  FailAll(Status::Closed("The restorer"));
  client_.reset();
}

bool RestoreThread::TakeAdded(bool wait) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto ready = [this] { return stopped_ || signalled_; };
  if (wait && readers_.empty() && client_ == nullptr) {
    changed_.wait(lock, ready);
  } else if (wait) {
    changed_.wait_for(lock, kPollInterval, ready);
  }
  signalled_ = false;
  for (std::unique_ptr<ChangelogReader>& reader : added_) readers_.push_back(std::move(reader));
  added_.clear();
  return !stopped_;
}

void RestoreThread::GrantPlaces() {
  std::vector<ChangelogReader*> readers;
  std::vector<PlaceRequest> requests;
  for (const std::unique_ptr<ChangelogReader>& reader : readers_) {
    // One whose partition is being read waits for that one.
    if (!reader->has_place() && (!reader->waiting() || IsBeingRead(*reader))) continue;
    readers.push_back(reader.get());
    requests.push_back({reader->remaining(), reader->has_place()});
  }
  for (const size_t i : NextToRestore(places_, requests)) {
    if (!IsBeingRead(*readers[i])) readers[i]->GrantPlace(client_.get());
  }
}

bool RestoreThread::IsBeingRead(const ChangelogReader& reader) const {
  return std::any_of(readers_.begin(), readers_.end(), [&reader](const auto& other) {
    return other->has_place() && other->ReadsSamePartition(reader);
  });
}

bool RestoreThread::EnsureClient() {
  if (client_ != nullptr) return true;
  Result<KafkaClientHandle> client = NewRestoreClient(config_);
  if (client.ok()) {
    client_ = std::move(client.value());
    known_topics_.clear();
    return true;
  }
  FailAll(client.status());
  return false;
}

// ListOffsets (librdkafka 2.15.1) asks who leads a partition once in three seconds. Of a client that has just been made that question is
// lost now and then: the first broker that it is connected to gives way to the ones that it learns of there. This one is asked again.
void RestoreThread::LearnTopics() {
  for (const std::unique_ptr<ChangelogReader>& reader : readers_) {
    if (!reader->is_new() || !known_topics_.insert(reader->topic()).second) continue;
    LearnLeaders(client_.get(), RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, reader->topic(), kLeadersTimeoutMs);
  }
}

void RestoreThread::DropIdleClient() {
  if (client_ == nullptr) return;
  if (std::chrono::steady_clock::now() - last_read_ >= kClientIdle) {
    client_.reset();
  } else {
    rd_kafka_poll(client_.get(), 0);
  }
}

bool RestoreThread::StepAll() {
  rd_kafka_poll(client_.get(), 0);
  LearnTopics();
  GrantPlaces();
  bool progressed = false;
  for (const std::unique_ptr<ChangelogReader>& reader : readers_) {
    // One that was granted a place may have failed.
    if (!reader->ended()) progressed |= reader->Step(client_.get(), &wake_);
  }
  const auto ended =
      std::remove_if(readers_.begin(), readers_.end(), [](const auto& reader) { return reader->ended(); });
  const auto count = static_cast<size_t>(readers_.end() - ended);
  if (count == 0) return progressed;
  readers_.erase(ended, readers_.end());
  std::lock_guard<std::mutex> lock(mutex_);
  load_ -= count;
  // Others may be waiting for the places.
  return true;
}

void RestoreThread::FailAll(const Status& status) {
  std::vector<std::unique_ptr<ChangelogReader>> failed;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    failed.swap(added_);
    for (std::unique_ptr<ChangelogReader>& reader : readers_) failed.push_back(std::move(reader));
    readers_.clear();
    load_ -= failed.size();
  }
  for (const std::unique_ptr<ChangelogReader>& reader : failed) reader->Fail(status);
}

}  // namespace weir
