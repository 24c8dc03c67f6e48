#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "binding/napi_setup.h"

namespace weir {

// Calls one JS function with events that native threads post, in order.
//
// Ownership: held by shared_ptr: by the object that made it and by the native threads that post. REQUIRES: whoever made it calls Stop.
// Threading: Post from any thread, at any time, also after Stop (it then drops what it is given). The rest on the JS thread.
// Invariants:
//   1. Nothing calls into JavaScript, nor Node's thread-safe function, once Stop has returned.
//   2. Stop happens before Node closes the function at the environment's end: hooks run in reverse order.
//   3. At most kWaitingMax events wait, not counting those that may not be dropped.
template <class Event>
class EventCallback : public std::enable_shared_from_this<EventCallback<Event>> {
 public:
  using ToValue = std::function<napi_value(Napi::Env, const Event&)>;
  static constexpr size_t kWaitingMax = 1024;

  EventCallback(Napi::Env env, Napi::Function callback, ToValue to_value)
      : env_(env), to_value_(std::move(to_value)) {
    napi_value name = Napi::String::New(env, "weir.events");
    const napi_status status = napi_create_threadsafe_function(
        env, callback, nullptr, name, 0, 1, nullptr, nullptr, this, &EventCallback::OnReady, &wake_);
    if (status != napi_ok) throw Napi::Error::New(env, "weir: the event queue could not be created");
    // An open consumer alone does not keep the process alive; its application does.
    napi_unref_threadsafe_function(env, wake_);
    napi_add_env_cleanup_hook(env, &EventCallback::OnEnvironmentEnd, this);
  }
  EventCallback(const EventCallback&) = delete;
  EventCallback& operator=(const EventCallback&) = delete;

  // `may_drop`: the event is left out when too many wait.
  void Post(Event event, bool may_drop) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_ || (may_drop && ready_.size() >= kWaitingMax)) return;
    ready_.push_back(std::move(event));
    if (ready_.size() > 1) return;
    // Node calls OnReady later; the object lives until then.
    alive_ = this->shared_from_this();
    napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  }

  // Events that were not told yet are dropped. Idempotent.
  void Stop() {
    std::shared_ptr<EventCallback> alive;
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    alive.swap(alive_);
    ready_.clear();
    napi_remove_env_cleanup_hook(env_, &EventCallback::OnEnvironmentEnd, this);
    napi_release_threadsafe_function(wake_, napi_tsfn_abort);
  }

 private:
  static void OnEnvironmentEnd(void* callback) { static_cast<EventCallback*>(callback)->Stop(); }

  static void OnReady(napi_env env, napi_value callback, void* context, void* /*data*/) {
    // Aborted: the queue may be gone.
    if (env == nullptr || callback == nullptr) return;
    static_cast<EventCallback*>(context)->Tell(Napi::Env(env), callback);
  }

  void Tell(Napi::Env env, napi_value callback) {
    std::vector<Event> ready;
    std::shared_ptr<EventCallback> alive;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ready.swap(ready_);
      alive.swap(alive_);
    }
    for (const Event& event : ready) {
      if (stopped_) return;  // by the callback before
      const Napi::HandleScope scope(env);
      TellOne(env, callback, event);
    }
  }

  void TellOne(Napi::Env env, napi_value callback, const Event& event) {
    napi_value error = nullptr;
    try {
      napi_value argument = to_value_(env, event);
      if (napi_call_function(env, env.Undefined(), callback, 1, &argument, nullptr) ==
          napi_pending_exception) {
        napi_get_and_clear_last_exception(env, &error);
      }
    } catch (const Napi::Error& failure) {
      error = failure.Value();
    }
    // A callback that throws is an uncaught exception, as it would be from a timer. A thread that is being terminated has none.
    if (error != nullptr) napi_fatal_exception(env, error);
  }

  const napi_env env_;
  const ToValue to_value_;
  napi_threadsafe_function wake_ = nullptr;

  std::mutex mutex_;
  std::vector<Event> ready_;              // guarded by mutex_, as is everything below
  std::shared_ptr<EventCallback> alive_;  // from a wake-up until it is told
  bool stopped_ = false;                  // written on the JS thread only
};

}  // namespace weir
