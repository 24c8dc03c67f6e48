#include "restore/run_merge.h"

namespace weir {

RunMerge::RunMerge(std::vector<std::unique_ptr<SortedRows>> runs) : runs_(std::move(runs)) {}

Status RunMerge::Start() {
  started_ = true;
  for (size_t age = 0; age < runs_.size(); age++) {
    Status status = runs_[age]->Next();
    if (!status.ok()) return status;
    if (runs_[age]->valid()) heap_.push_back({runs_[age].get(), age});
  }
  for (size_t at = heap_.size() / 2; at-- > 0;) SiftDown(at);
  return Status::Ok();
}

Status RunMerge::Next() {
  if (!started_) return Start();
  // Older rows of the same key are next to it: they are the least of their runs.
  while (heap_.size() > 1) {
    const size_t second = heap_.size() > 2 && Before(heap_[2], heap_[1]) ? 2 : 1;
    if (heap_[second].rows->key() != heap_[0].rows->key()) break;
    Status status = heap_[second].rows->Next();
    if (!status.ok()) return status;
    if (!heap_[second].rows->valid()) {
      heap_[second] = heap_.back();
      heap_.pop_back();
    }
    if (second < heap_.size()) SiftDown(second);
  }
  return AdvanceFirst();
}

Status RunMerge::AdvanceFirst() {
  Status status = heap_[0].rows->Next();
  if (!status.ok()) return status;
  if (!heap_[0].rows->valid()) {
    heap_[0] = heap_.back();
    heap_.pop_back();
  }
  SiftDown(0);
  return Status::Ok();
}

bool RunMerge::Before(const Run& a, const Run& b) const {
  const int order = a.rows->key().compare(b.rows->key());
  return order != 0 ? order < 0 : a.age > b.age;
}

void RunMerge::SiftDown(size_t at) {
  for (;;) {
    size_t least = at;
    for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap_.size(); child++) {
      if (Before(heap_[child], heap_[least])) least = child;
    }
    if (least == at) return;
    std::swap(heap_[at], heap_[least]);
    at = least;
  }
}

}  // namespace weir
