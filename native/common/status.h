#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace weir {

// The outcome of an operation of the core: success, or one failure that says what happened and what helps.
// A success is one null pointer; copies of a failure share it. The core throws no exceptions.
//
// Codes (src/native/errors.ts lists them for JavaScript):
//   closed            the object was closed, or its thread ended
//   invalid           the caller's mistake
//   busy              a bounded queue of native calls is full
//   stale             local state is older than its changelog remembers deletions
//   rocksdb:<Code>    Corruption, IOError, NoSpace, Busy, ...
//   kafka:<NAME>      librdkafka's name without its prefix: _TIMED_OUT, UNKNOWN_TOPIC_OR_PART, ...
//
// Threading: a value; distinct copies may be used on distinct threads.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(std::string code, std::string message, bool retriable = false, bool fatal = false)
      : failure_(
            std::make_shared<const Failure>(Failure{std::move(code), std::move(message), retriable, fatal})) {
  }

  static Status Ok() { return Status(); }
  static Status Closed(const std::string& what) { return Status("closed", what + " is closed"); }
  static Status Invalid(std::string message) { return Status("invalid", std::move(message)); }

  bool ok() const { return failure_ == nullptr; }

  // Of a success: empty.
  const std::string& code() const { return ok() ? Nothing() : failure_->code; }
  const std::string& message() const { return ok() ? Nothing() : failure_->message; }
  // Waiting and trying again may help.
  bool retriable() const { return !ok() && failure_->retriable; }
  // The client object is of no more use (librdkafka's fatal errors).
  bool fatal() const { return !ok() && failure_->fatal; }

 private:
  struct Failure {
    std::string code;
    std::string message;
    bool retriable;
    bool fatal;
  };

  static const std::string& Nothing() {
    static const auto* nothing = new std::string;  // leaked, so that it outlives every thread
    return *nothing;
  }

  std::shared_ptr<const Failure> failure_;
};

// A value, or the failure that kept it from being computed.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: returning a value is a success
  Result(Status status) : status_(std::move(status)) {}  // NOLINT. REQUIRES: !status.ok()

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  // REQUIRES for the following: ok().
  T& value() { return *value_; }
  const T& value() const { return *value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace weir
