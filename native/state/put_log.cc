#include "state/put_log.h"

#include <cstring>

namespace weir {

void PutLog::Add(std::string_view key, std::optional<std::string_view> value, int64_t timestamp_ms) {
  const std::string_view key_copy = Copy(key);
  puts_.push_back({key_copy, value.has_value() ? std::optional(Copy(*value)) : std::nullopt, timestamp_ms});
}

void PutLog::Clear() {
  arena_.Reset();
  puts_ = {};
}

std::string_view PutLog::Copy(std::string_view bytes) {
  char* const copy = arena_.Allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  return {copy, bytes.size()};
}

}  // namespace weir
