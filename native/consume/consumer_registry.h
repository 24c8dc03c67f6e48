#pragma once

#include <cstdint>
#include <memory>

namespace weir {

class Consumer;

// The process's Consumers by id: other threads find one by its number, which is all that can be sent to them.
//
// Ownership: holds none of them.
// Threading: any thread may call anything.
class ConsumerRegistry {
 public:
  static int64_t NextId();
  static void Add(int64_t id, std::weak_ptr<Consumer> consumer);
  // Null when there is none (any more).
  static std::shared_ptr<Consumer> Find(int64_t id);
  static void Remove(int64_t id);
};

}  // namespace weir
