#include "binding/produce_arguments.h"

#include <cstdint>

namespace weir {

ProduceArguments ProduceArguments::Read(const Arguments& arguments) {
  const Bytes arena = arguments.Buffer(0, "arena");
  const Bytes columns = arguments.ArrayBuffer(1, "columns");
  const size_t capacity = arguments.Size(2, "capacity");
  if (columns.length < ProduceBatch::ColumnBytes(capacity))
    arguments.Fail(1, "columns", "as large as the capacity needs");
  const auto count = static_cast<size_t>(arguments.Integer(4, "count", 0, static_cast<int64_t>(capacity)));
  const auto from = static_cast<size_t>(arguments.Integer(3, "from", 0, static_cast<int64_t>(count)));
  return {ProduceBatch::Over(arena.data, arena.length, columns.data, capacity), from, count};
}

}  // namespace weir
