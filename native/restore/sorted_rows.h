#pragma once

#include <string_view>

#include "common/status.h"

namespace weir {

// Rows in ascending order of their keys, each key once; a row may be a deletion.
//
// Threading: one thread.
class SortedRows {
 public:
  virtual ~SortedRows() = default;

  // Goes to the next row, the first one at first.
  virtual Status Next() = 0;
  // False at the end. REQUIRES: Next was called, and was ok.
  virtual bool valid() const = 0;
  // REQUIRES: valid(). Until Next.
  virtual std::string_view key() const = 0;
  virtual bool deleted() const = 0;
  virtual std::string_view row() const = 0;
};

}  // namespace weir
