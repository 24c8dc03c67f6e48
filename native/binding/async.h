#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "binding/errors.h"
#include "binding/napi_setup.h"
#include "common/status.h"
#include "common/thread_pool.h"

namespace weir {

// Settles Promises of one environment from native threads.
//
// Threading: Post from any thread, at any time, also after Stop (it then drops what it is given). The rest on
// the JS thread. Invariants:
//   1. A Promise is settled at most once, on the JS thread, never after Stop.
//   2. The values given to Create stay reachable until their Promise is settled: native code may use their
//      memory until then.
//   3. The event loop stays alive while a Promise is open.
//   4. Node's thread-safe function is called only under `mutex_` while not stopped, hence never after Node
//      closed it.
class CompletionQueue : public std::enable_shared_from_this<CompletionQueue> {
 public:
  // Makes the Promise's value on the JS thread. May throw Napi::Error; the Promise is then rejected with it.
  using Settle = std::function<Result<napi_value>(Napi::Env)>;

  explicit CompletionQueue(Napi::Env env);
  ~CompletionQueue();
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;

  // A new Promise and the id to settle it by.
  std::pair<uint64_t, Napi::Promise> Create(const std::initializer_list<napi_value>& keep_alive);
  void Post(uint64_t id, Settle settle);
  // Open Promises stay pending for ever; their values are released.
  void Stop();

 private:
  struct Pending {
    napi_deferred deferred;
    std::vector<napi_ref> keep_alive;
  };

  static void OnReady(napi_env env, napi_value callback, void* context, void* data);
  void SettleReady(napi_env env);
  void SettleOne(napi_env env, const Pending& pending, const Settle& settle);

  const napi_env env_;
  napi_threadsafe_function wake_ = nullptr;
  std::unordered_map<uint64_t, Pending> pending_;  // JS thread only
  uint64_t next_id_ = 0;                           // JS thread only

  std::mutex mutex_;
  std::vector<std::pair<uint64_t, Settle>> ready_;  // guarded by mutex_
  bool stopped_ = false;                            // guarded by mutex_
};

// Settles one Promise; native code keeps it and calls it once, from any thread. A value: the first call of
// any copy counts. T is what the native work yields; `ToValue` turns it into a JS value on the JS thread.
template <class T>
class Completion {
 public:
  using ToValue = std::function<napi_value(Napi::Env, T&)>;

  Completion(std::shared_ptr<CompletionQueue> queue, uint64_t id, ToValue to_value)
      : queue_(std::move(queue)), id_(id), to_value_(std::move(to_value)) {}

  void operator()(Result<T> result) const {
    // std::function wants what it captures to be copyable; a T need not be.
    auto held = std::make_shared<Result<T>>(std::move(result));
    queue_->Post(id_, [held, to_value = to_value_](Napi::Env env) -> Result<napi_value> {
      if (!held->ok()) return held->status();
      return to_value(env, held->value());
    });
  }

 private:
  std::shared_ptr<CompletionQueue> queue_;
  uint64_t id_;
  ToValue to_value_;
};

// A Completion for work that yields nothing: the Promise resolves to undefined.
template <>
class Completion<void> {
 public:
  Completion(std::shared_ptr<CompletionQueue> queue, uint64_t id) : queue_(std::move(queue)), id_(id) {}

  void operator()(Status status) const {
    queue_->Post(id_, [status = std::move(status)](Napi::Env env) -> Result<napi_value> {
      if (!status.ok()) return status;
      return static_cast<napi_value>(env.Undefined());
    });
  }

 private:
  std::shared_ptr<CompletionQueue> queue_;
  uint64_t id_;
};

// Runs functions of the core on the environment's own native threads and settles Promises with what they
// return.
//
// Work captures what it needs by shared_ptr. Buffers of `keep_alive` may be used until the Promise is
// settled; JavaScript does not write to them until then. Blocking work looks at Environment::cancellation().
// Threading: the JS thread.
class AsyncRunner {
 public:
  // Each environment has at most this many native threads, started when needed; and this many calls may wait
  // for one.
  static constexpr int kThreadsMax = 8;
  static constexpr size_t kWaitingMax = 65536;

  explicit AsyncRunner(Napi::Env env);
  ~AsyncRunner() { Stop(); }

  template <class T>
  Napi::Promise Run(const std::initializer_list<napi_value>& keep_alive, std::function<Result<T>()> work,
                    typename Completion<T>::ToValue to_value) {
    auto [completion, promise] = Create<T>(keep_alive, std::move(to_value));
    Submit([completion = completion, work = std::move(work)] { completion(work()); },
           [completion = completion](Status status) { completion(std::move(status)); });
    return promise;
  }

  Napi::Promise Run(const std::initializer_list<napi_value>& keep_alive, std::function<Status()> work) {
    auto [completion, promise] = Create(keep_alive);
    Submit([completion = completion, work = std::move(work)] { completion(work()); },
           [completion = completion](Status status) { completion(std::move(status)); });
    return promise;
  }

  // For Promises that something else than a call's own thread settles (delivery callbacks, restore threads).
  template <class T>
  std::pair<Completion<T>, Napi::Promise> Create(const std::initializer_list<napi_value>& keep_alive,
                                                 typename Completion<T>::ToValue to_value) {
    auto [id, promise] = completions_->Create(keep_alive);
    return {Completion<T>(completions_, id, std::move(to_value)), promise};
  }

  std::pair<Completion<void>, Napi::Promise> Create(const std::initializer_list<napi_value>& keep_alive) {
    auto [id, promise] = completions_->Create(keep_alive);
    return {Completion<void>(completions_, id), promise};
  }

  // Joins the threads, then forgets the open Promises.
  void Stop();

 private:
  void Submit(std::function<void()> task, const std::function<void(Status)>& refused);

  const std::shared_ptr<CompletionQueue> completions_;
  ThreadPool threads_;
};

}  // namespace weir
