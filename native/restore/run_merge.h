#pragma once

#include <memory>
#include <vector>

#include "restore/sorted_rows.h"

namespace weir {

// Several sorted runs as one: of a key that several have, the newest run's row.
//
// Threading: one thread.
class RunMerge final : public SortedRows {
 public:
  // Oldest run first.
  explicit RunMerge(std::vector<std::unique_ptr<SortedRows>> runs);

  Status Next() override;
  bool valid() const override { return started_ && !heap_.empty(); }
  std::string_view key() const override { return heap_[0].rows->key(); }
  bool deleted() const override { return heap_[0].rows->deleted(); }
  std::string_view row() const override { return heap_[0].rows->row(); }

 private:
  struct Run {
    SortedRows* rows;
    size_t age;  // the greater, the newer
  };

  Status Start();
  // Moves the first run on and puts it where it belongs now.
  Status AdvanceFirst();
  bool Before(const Run& a, const Run& b) const;
  void SiftDown(size_t at);

  const std::vector<std::unique_ptr<SortedRows>> runs_;
  std::vector<Run> heap_;  // the least key first, of equal ones the newest
  bool started_ = false;
};

}  // namespace weir
