#include "state/offsets.h"

#include <chrono>
#include <cstring>

namespace weir {

int64_t WallClockMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void PutInt64(char* out, int64_t value) {
  const uint64_t swapped = __builtin_bswap64(static_cast<uint64_t>(value));
  std::memcpy(out, &swapped, sizeof(swapped));
}

int64_t GetInt64(const char* in) {
  uint64_t swapped;
  std::memcpy(&swapped, in, sizeof(swapped));
  return static_cast<int64_t>(__builtin_bswap64(swapped));
}

std::string EncodeOffset(const StoreOffset& offset) {
  std::string value(16, '\0');
  PutInt64(value.data(), offset.offset);
  PutInt64(value.data() + 8, offset.written_at_ms);
  return value + offset.topic_id;
}

Result<StoreOffset> DecodeOffset(std::string store, std::string_view value) {
  if (value.size() < 16) {
    return Status("rocksdb:Corruption", "the changelog offset of store " + store + " has " +
                                            std::to_string(value.size()) + " bytes instead of at least 16");
  }
  return StoreOffset{std::move(store), GetInt64(value.data()), GetInt64(value.data() + 8),
                     std::string(value.substr(16))};
}

}  // namespace weir
