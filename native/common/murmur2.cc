#include "common/murmur2.h"

namespace weir {

int32_t Murmur2(const uint8_t* bytes, size_t length) {
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  constexpr int kShift = 24;
  uint32_t hash = 0x9747b28c ^ static_cast<uint32_t>(length);

  const size_t words = length / 4;
  for (size_t i = 0; i < words; i++) {
    const uint8_t* at = bytes + i * 4;
    uint32_t word = static_cast<uint32_t>(at[0]) | static_cast<uint32_t>(at[1]) << 8 |
                    static_cast<uint32_t>(at[2]) << 16 | static_cast<uint32_t>(at[3]) << 24;
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash *= kMultiplier;
    hash ^= word;
  }

  const uint8_t* tail = bytes + words * 4;
  switch (length % 4) {
    case 3:
      hash ^= static_cast<uint32_t>(tail[2]) << 16;
      [[fallthrough]];
    case 2:
      hash ^= static_cast<uint32_t>(tail[1]) << 8;
      [[fallthrough]];
    case 1:
      hash ^= tail[0];
      hash *= kMultiplier;
      break;
    default:
      break;
  }

  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return static_cast<int32_t>(hash);
}

}  // namespace weir
