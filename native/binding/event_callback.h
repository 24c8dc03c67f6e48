#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "binding/napi_setup.h"

namespace weir {

// Calls one JS function with events that native threads post, in order.
//
// Ownership: held by shared_ptr: by the object that made it and by the native threads that post.
// Threading: Post from any thread, at any time, also after Stop (it then drops what it is given). The rest on the JS thread.
// Invariant: nothing calls into JavaScript, nor Node's thread-safe function, once Stop has returned.
template <class Event>
class EventCallback : public std::enable_shared_from_this<EventCallback<Event>> {
 public:
  using ToValue = std::function<napi_value(Napi::Env, const Event&)>;

  EventCallback(Napi::Env env, Napi::Function callback, ToValue to_value) : to_value_(std::move(to_value)) {
    napi_value name = Napi::String::New(env, "weir.events");
    const napi_status status = napi_create_threadsafe_function(env, callback, nullptr, name, 0, 1, nullptr, nullptr, this,
                                                               &EventCallback::OnReady, &wake_);
    if (status != napi_ok) throw Napi::Error::New(env, "weir: the event queue could not be created");
    // An open consumer alone does not keep the process alive; its application does.
    napi_unref_threadsafe_function(env, wake_);
  }
  EventCallback(const EventCallback&) = delete;
  EventCallback& operator=(const EventCallback&) = delete;

  void Post(Event event) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_) return;
    ready_.push_back(std::move(event));
    if (ready_.size() == 1) {
      // Node calls OnReady later; the object lives until then.
      alive_ = this->shared_from_this();
      // An environment that ends closes the function by itself, before Stop; having said so, it has forgotten this caller.
      if (napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking) == napi_closing) {
        stopped_ = true;
        ready_.clear();
        alive_.reset();
      }
    }
  }

  // Events that were not told yet are dropped.
  void Stop() {
    std::shared_ptr<EventCallback> alive;
    std::lock_guard<std::mutex> lock(mutex_);
    alive.swap(alive_);
    if (stopped_) return;
    stopped_ = true;
    ready_.clear();
    napi_release_threadsafe_function(wake_, napi_tsfn_abort);
  }

 private:
  static void OnReady(napi_env env, napi_value callback, void* context, void* /*data*/) {
    // Aborted: the queue may be gone.
    if (env == nullptr) return;
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
      const Napi::HandleScope scope(env);
      napi_value argument = to_value_(env, event);
      // A callback that throws is an uncaught exception, as it would be from a timer.
      if (napi_call_function(env, env.Undefined(), callback, 1, &argument, nullptr) == napi_pending_exception) {
        napi_value error;
        if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
      }
    }
  }

  const ToValue to_value_;
  napi_threadsafe_function wake_ = nullptr;

  std::mutex mutex_;
  std::vector<Event> ready_;              // guarded by mutex_, as is everything below
  std::shared_ptr<EventCallback> alive_;  // from a wake-up until it is told
  bool stopped_ = false;
};

}  // namespace weir
