#include "state/arena.h"

#include <algorithm>
#include <cstdint>

namespace weir {

void* Arena::do_allocate(size_t bytes, size_t alignment) {
  const size_t padding = (alignment - reinterpret_cast<uintptr_t>(next_) % alignment) % alignment;
  if (next_ == nullptr || padding + bytes > left_) {
    // A fresh chunk is aligned for every type. One that is larger than a chunk gets one of its own; what is
    // left of the current goes.
    const size_t size = std::max(chunk_size_, bytes);
    chunks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
    next_ = chunks_.back().memory.get();
    left_ = size;
    chunk_size_ = std::min(chunk_size_ * 2, kChunkMax);
    next_ += bytes;
    left_ -= bytes;
    used_ += bytes;
    return chunks_.back().memory.get();
  }
  char* const result = next_ + padding;
  next_ = result + bytes;
  left_ -= padding + bytes;
  used_ += padding + bytes;
  return result;
}

void Arena::Reset() {
  if (chunks_.size() > 1) chunks_.resize(1);
  used_ = 0;
  next_ = chunks_.empty() ? nullptr : chunks_.front().memory.get();
  left_ = chunks_.empty() ? 0 : chunks_.front().size;
  chunk_size_ = kChunkMin * 2;
}

}  // namespace weir
