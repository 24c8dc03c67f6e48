#include "state/io_uring.h"

#include <liburing.h>

#include <system_error>

// RocksDB reads the blocks of a MultiGet together through io_uring only in a program that defines this
// function. Where the kernel or a container's profile forbids io_uring, RocksDB notices at the first read and
// reads one block after the other.
extern "C" bool RocksDbIOUringEnable() { return true; }

namespace weir {

namespace {

// As many as RocksDB asks for (kIoUringDepth): a limit on locked memory may allow fewer.
constexpr unsigned kRingEntries = 256;

}  // namespace

std::string IoUringProblem() {
  io_uring ring{};
  const int result = io_uring_queue_init(kRingEntries, &ring, 0);
  if (result < 0) return "io_uring_setup: " + std::generic_category().message(-result);
  io_uring_queue_exit(&ring);
  return "";
}

}  // namespace weir
