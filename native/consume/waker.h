#pragma once

#include <memory>

#include "common/status.h"

namespace weir {

// An eventfd that says that some partition of a reader has records. librdkafka's queues write to it, the reader's event loop polls it.
//
// Threading: Signal from any thread; Drain on the reader's.
// Invariant: a Signal that happens after Drain has returned makes the descriptor readable again.
class Waker {
 public:
  // What a queue writes to signal (rd_kafka_queue_io_event_enable): an eventfd takes 8 bytes.
  static constexpr unsigned long long kSignal = 1;

  static Result<std::shared_ptr<Waker>> Create();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  int fd() const { return fd_; }
  void Signal() const;
  // Forgets all signals so far.
  void Drain() const;

 private:
  explicit Waker(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace weir
