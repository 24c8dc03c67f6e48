#pragma once

#include <uv.h>

#include <memory>

#include "binding/napi_setup.h"
#include "consume/waker.h"

namespace weir {

// Calls a JS function on its event loop whenever a Waker was signalled. Does not keep the loop alive.
//
// Ownership: frees itself once libuv has let go of the descriptor, which is after Stop; the environment's end waits for that.
// Threading: the JS thread.
class ReadyPoll {
 public:
  // Throws when the loop cannot poll the descriptor.
  static ReadyPoll* Start(Napi::Env env, std::shared_ptr<Waker> waker, Napi::Function callback);
  // The callback is not called any more. Called once; the object is not to be used afterwards.
  void Stop();

 private:
  ReadyPoll(Napi::Env env, std::shared_ptr<Waker> waker, Napi::Function callback);
  ~ReadyPoll() = default;

  static void OnReadable(uv_poll_t* handle, int status, int events);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* poll);
  void Close();

  const Napi::Env env_;
  const std::shared_ptr<Waker> waker_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  uv_poll_t handle_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool closing_ = false;
};

}  // namespace weir
