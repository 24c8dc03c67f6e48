#include "binding/ready_poll.h"

#include <utility>

namespace weir {

ReadyPoll::ReadyPoll(Napi::Env env, std::shared_ptr<Waker> waker, Napi::Function callback)
    : env_(env),
      waker_(std::move(waker)),
      callback_(Napi::Persistent(callback)),
      context_(env, "weir.ready") {}

ReadyPoll* ReadyPoll::Start(Napi::Env env, std::shared_ptr<Waker> waker, Napi::Function callback) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok)
    throw Napi::Error::New(env, "weir: this thread has no event loop");
  auto* const poll = new ReadyPoll(env, std::move(waker), callback);
  if (uv_poll_init(loop, &poll->handle_, poll->waker_->fd()) != 0) {
    delete poll;
    throw Napi::Error::New(env, "weir: the event loop cannot poll for records");
  }
  poll->handle_.data = poll;
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll->handle_));
  uv_poll_start(&poll->handle_, UV_READABLE, &ReadyPoll::OnReadable);
  napi_add_async_cleanup_hook(env, &ReadyPoll::OnEnvironmentEnd, poll, &poll->hook_);
  return poll;
}

void ReadyPoll::Stop() { Close(); }

void ReadyPoll::OnReadable(uv_poll_t* handle, int status, int /*events*/) {
  auto* const poll = static_cast<ReadyPoll*>(handle->data);
  if (status < 0 || poll->closing_) return;
  poll->waker_->Drain();
  Napi::HandleScope scope(poll->env_);
  try {
    poll->callback_.MakeCallback(poll->env_.Global(), {}, poll->context_);
  } catch (const Napi::Error& error) {
    // As from a timer: an uncaught exception. In a worker that is being terminated there is nobody to tell.
    const napi_value value = error.Value();
    if (value != nullptr) napi_fatal_exception(poll->env_, value);
  }
}

void ReadyPoll::OnEnvironmentEnd(napi_async_cleanup_hook_handle /*hook*/, void* poll) {
  static_cast<ReadyPoll*>(poll)->Close();
}

void ReadyPoll::Close() {
  if (closing_) return;
  closing_ = true;
  uv_poll_stop(&handle_);
  callback_.Reset();
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), [](uv_handle_t* handle) {
    auto* const poll = static_cast<ReadyPoll*>(handle->data);
    const napi_async_cleanup_hook_handle hook = poll->hook_;
    delete poll;
    // Node goes on with the environment's end when the hook is removed.
    napi_remove_async_cleanup_hook(hook);
  });
}

}  // namespace weir
