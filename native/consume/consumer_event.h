#pragma once

#include <functional>
#include <vector>

#include "common/status.h"
#include "common/topic_partition.h"

namespace weir {

// What the group tells the Consumer's owner (ConsumerEvent of src/native/consumer.ts).
struct ConsumerEvent {
  enum class Type { kAssign, kRevoke, kError, kStray };

  Type type;
  std::vector<TopicPartition> partitions = {};  // kAssign, kRevoke; kStray: the one
  bool lost = false;                            // kRevoke
  Status error = {};                            // kError
  int64_t offset = -1;                          // kStray
};

// Called on the Consumer's event thread; must not block and must not call the Consumer.
using ConsumerEventHandler = std::function<void(ConsumerEvent)>;

}  // namespace weir
