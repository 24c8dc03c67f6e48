#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"

namespace weir {

// Where TaskDatabase::Drain writes changelog records, and what TaskDatabase::Commit asks for their offsets.
// produce/Producer is one; the state's tests have another, so that the core of the state needs no Kafka.
//
// Threading: Drain and Commit call on a native thread, while the JS thread that owns the producer waits for
// them; so one thread at a time, with a happens-before between them.
class ChangelogSink {
 public:
  virtual ~ChangelogSink() = default;

  // The id of a registered topic, -1 when nothing registered it.
  virtual int TopicId(const std::string& name) const = 0;

  // Hands over one record: nullopt is a null value (a tombstone). Copies the bytes. Waits while the queue is
  // full, and returns Closed when the producer is closed or its thread ends meanwhile. A delivery that fails
  // later is told by FirstError. `headers`: as DecodeHeaders takes them; empty for none.
  virtual Status Append(int topic, int32_t partition, std::string_view key,
                        std::optional<std::string_view> value, std::string_view headers,
                        int64_t timestamp_ms) = 0;

  // The highest delivered offset + 1 of a partition, -1 when none was delivered.
  virtual int64_t DeliveredOffset(int topic, int32_t partition) const = 0;

  // The first delivery error since the sink was created; Ok when there is none.
  virtual Status FirstError() const = 0;
};

}  // namespace weir
