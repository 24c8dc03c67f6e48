#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace weir {

// A growing block of malloc's memory, which can be handed to somebody who frees it.
//
// Threading: a value; one thread at a time.
class ByteBlock {
 public:
  ByteBlock() = default;
  ~ByteBlock() { std::free(data_); }
  ByteBlock(ByteBlock&& other) noexcept { *this = std::move(other); }
  ByteBlock& operator=(ByteBlock&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ByteBlock(const ByteBlock&) = delete;
  ByteBlock& operator=(const ByteBlock&) = delete;

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

  // Returns where the bytes begin.
  size_t Append(std::string_view bytes) {
    const size_t start = size_;
    Reserve(size_ + bytes.size());
    if (!bytes.empty()) std::memcpy(data_ + start, bytes.data(), bytes.size());
    size_ += bytes.size();
    return start;
  }

  void Reserve(size_t capacity) {
    if (capacity <= capacity_) return;
    capacity_ = capacity_ * 2 > capacity ? capacity_ * 2 : capacity;
    void* const grown = std::realloc(data_, capacity_);
    if (grown == nullptr) throw std::bad_alloc();
    data_ = static_cast<uint8_t*>(grown);
  }

  // The caller frees it with std::free. Null when nothing was ever appended.
  uint8_t* Release() {
    size_ = 0;
    capacity_ = 0;
    return std::exchange(data_, nullptr);
  }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace weir
