#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"

namespace weir {

// A record that a broker has refused, or did not answer for.
struct FailedDelivery {
  int topic;  // the producer's id
  int32_t partition;
  int64_t timestamp_ms;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::string headers;  // encoded (common/headers_encoder.h); empty when there are none
  Status error;
};

// Records whose delivery has failed and for which somebody decides what becomes of them, up to a bound.
//
// Threading: Keep on the delivery thread, Take on any.
// Invariant: a record that Keep has taken is in exactly one answer of Take.
class FailedDeliveries {
 public:
  FailedDeliveries() = default;
  FailedDeliveries(const FailedDeliveries&) = delete;
  FailedDeliveries& operator=(const FailedDeliveries&) = delete;

  // True for an error that is the record's or its batch's own: not one of the producer, of its rights or of its transaction.
  static bool IsOfRecord(rd_kafka_resp_err_t error);

  // False when there is no room for it: then its error must be told in another way.
  bool Keep(int topic, const rd_kafka_message_t* message, const Status& error);

  // What was kept since the last call, in the order of the failures.
  std::vector<FailedDelivery> Take();

 private:
  static constexpr size_t kRecordsMax = 10'000;
  static constexpr size_t kBytesMax = 32 << 20;

  std::mutex mutex_;
  std::vector<FailedDelivery> kept_;  // guarded by mutex_
  size_t bytes_ = 0;                  // guarded by mutex_
};

}  // namespace weir
