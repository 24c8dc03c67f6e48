#pragma once

#include <cstddef>

#include "binding/arguments.h"
#include "produce/produce_batch.h"

namespace weir {

// The arguments of a `produce` in src/native/producer.ts: arena, columns, capacity, from, count.
//
// Ownership: `batch` lies in memory of the arguments. Threading: the environment's JS thread.
// Invariant: from <= count <= batch.capacity.
struct ProduceArguments {
  // Throws for what is no batch.
  static ProduceArguments Read(const Arguments& arguments);

  ProduceBatch batch;
  size_t from;
  size_t count;
};

}  // namespace weir
