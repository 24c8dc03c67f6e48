#pragma once

#include <string>

namespace weir {

// Why this process cannot read the blocks of one look-up together through io_uring; empty when it can. RocksDB finds the same
// at its first such read, and reads one block after the other then. Threading: any.
std::string IoUringProblem();

}  // namespace weir
