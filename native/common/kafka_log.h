#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <memory>
#include <string>

namespace weir {

// A line that one of the process's librdkafka clients logs.
struct KafkaLogLine {
  std::string client;  // librdkafka's name of it, "weir#consumer-1"
  int level;           // syslog's: 3 is an error, 7 debugging
  std::string facility;
  std::string message;
};

// Called on librdkafka's threads, several at a time; must not block and must not call librdkafka.
using KafkaLogHandler = std::function<void(KafkaLogLine)>;

// While it lives, its handler gets the lines of all clients of the process, whichever thread made them. Of several the youngest does;
// without one the lines go to stderr, as librdkafka writes them by itself.
//
// Threading: any thread. The handler may still be under way on another thread when the destructor returns.
class KafkaLogSink {
 public:
  explicit KafkaLogSink(KafkaLogHandler handler);
  ~KafkaLogSink();
  KafkaLogSink(const KafkaLogSink&) = delete;
  KafkaLogSink& operator=(const KafkaLogSink&) = delete;

 private:
  const std::shared_ptr<const KafkaLogHandler> handler_;
};

// librdkafka's log_cb.
void HandleKafkaLog(const rd_kafka_t* client, int level, const char* facility, const char* message);

}  // namespace weir
