#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <vector>

namespace weir {

// Memory that is only freed as a whole. Chunks grow to 1 MiB and no further, so that `used` and what is
// allocated stay close.
//
// Threading: one thread at a time.
class Arena final : public std::pmr::memory_resource {
 public:
  // Bytes handed out, with their padding.
  size_t used() const { return used_; }
  char* Allocate(size_t bytes) { return static_cast<char*>(allocate(bytes, 1)); }
  // Frees all but the first chunk. What was allocated is gone; destructors are not called.
  void Reset();

 private:
  static constexpr size_t kChunkMin = 16 * 1024;
  static constexpr size_t kChunkMax = 1024 * 1024;

  void* do_allocate(size_t bytes, size_t alignment) override;
  void do_deallocate(void*, size_t, size_t) override {}
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  struct Chunk {
    std::unique_ptr<char[]> memory;
    size_t size;
  };

  std::vector<Chunk> chunks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t chunk_size_ = kChunkMin;
  size_t used_ = 0;
};

}  // namespace weir
