#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "produce/produce_batch.h"
#include "state/changelog_sink.h"

namespace weir {

// A producer whose topics are in this process, one partition each: what is produced is delivered at once, and kept until it is taken.
// Takes what Producer takes, so that a task runs without a broker.
//
// Ownership: held by shared_ptr: by the JS object and by a drain under way.
// Threading: one thread at a time, with a happens-before between them: its JS thread, or a native thread that drains while that waits.
// Invariant: what the calls of Take() return is every record once, in the order in which they came.
class LocalProducer final : public ChangelogSink {
 public:
  // A topic registered before keeps its id. Ids count up from 0.
  int Topic(const std::string& name);

  // Keeps records `from` to `count` - 1. REQUIRES: from <= count <= batch.capacity.
  Status Produce(const ProduceBatch& batch, size_t from, size_t count);

  // The records since the last call, one after the other, big-endian: topic(4) timestamp(8) keyLength(4) key valueLength(4) value
  // headersLength(4) headers. A length of -1 is null.
  std::string Take();

  bool HasTopic(int topic) const { return topic >= 0 && static_cast<size_t>(topic) < topics_.size(); }
  int64_t delivered_records() const { return delivered_records_; }

  // ChangelogSink.
  int TopicId(const std::string& name) const override;
  Status Append(int topic, int32_t partition, std::string_view key, std::optional<std::string_view> value,
                std::string_view headers, int64_t timestamp_ms) override;
  int64_t DeliveredOffset(int topic, int32_t partition) const override;
  Status FirstError() const override { return Status::Ok(); }

 private:
  struct LocalTopic {
    std::string name;
    int64_t records;
  };

  Status Keep(int topic, std::optional<std::string_view> key, std::optional<std::string_view> value,
              std::optional<std::string_view> headers, int64_t timestamp_ms);

  std::vector<LocalTopic> topics_;  // by id
  std::string records_;
  int64_t delivered_records_ = 0;
};

}  // namespace weir
