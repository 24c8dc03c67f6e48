#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "state/arena.h"

namespace weir {

// Every put of a versioned store since the last commit, in order: what its changelog gets.
//
// Threading: one thread at a time.
class PutLog {
 public:
  struct Put {
    std::string_view key;
    std::optional<std::string_view> value;  // nullopt deletes
    int64_t timestamp_ms;
  };

  // Copies the bytes.
  void Add(std::string_view key, std::optional<std::string_view> value, int64_t timestamp_ms);
  const std::vector<Put>& puts() const { return puts_; }
  bool empty() const { return puts_.empty(); }
  // The memory that it takes; never shrinks between two commits.
  size_t bytes() const { return arena_.used() + puts_.size() * sizeof(Put); }
  void Clear();

 private:
  std::string_view Copy(std::string_view bytes);

  Arena arena_;
  std::vector<Put> puts_;
};

}  // namespace weir
