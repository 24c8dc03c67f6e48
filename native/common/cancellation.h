#pragma once

#include <atomic>
#include <memory>

namespace weir {

// Tells work on native threads that its owner is going away. Blocking calls look at it at least every 100 ms
// and then return Status::Closed.
//
// Threading: any thread may call anything. Cancel is final.
class Cancellation {
 public:
  Cancellation() : cancelled_(std::make_shared<std::atomic<bool>>(false)) {}

  void Cancel() const { cancelled_->store(true, std::memory_order_release); }
  bool cancelled() const { return cancelled_->load(std::memory_order_acquire); }

 private:
  std::shared_ptr<std::atomic<bool>> cancelled_;
};

}  // namespace weir
