#include "common/kafka_log.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace weir {

namespace {

using Handlers = std::vector<std::shared_ptr<const KafkaLogHandler>>;

// Leaked, so that it outlives every thread.
struct Registry {
  std::mutex mutex;
  Handlers handlers;  // guarded by mutex; the youngest last
};

Registry& TheRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

}  // namespace

KafkaLogSink::KafkaLogSink(KafkaLogHandler handler)
    : handler_(std::make_shared<const KafkaLogHandler>(std::move(handler))) {
  std::lock_guard<std::mutex> lock(TheRegistry().mutex);
  TheRegistry().handlers.push_back(handler_);
}

KafkaLogSink::~KafkaLogSink() {
  std::lock_guard<std::mutex> lock(TheRegistry().mutex);
  Handlers& handlers = TheRegistry().handlers;
  handlers.erase(std::find(handlers.begin(), handlers.end(), handler_));
}

void HandleKafkaLog(const rd_kafka_t* client, int level, const char* facility, const char* message) {
  std::shared_ptr<const KafkaLogHandler> handler;
  {
    std::lock_guard<std::mutex> lock(TheRegistry().mutex);
    if (!TheRegistry().handlers.empty()) handler = TheRegistry().handlers.back();
  }
  if (handler == nullptr) {
    rd_kafka_log_print(client, level, facility, message);
    return;
  }
  (*handler)({client == nullptr ? "" : rd_kafka_name(client), level, facility, message});
}

}  // namespace weir
