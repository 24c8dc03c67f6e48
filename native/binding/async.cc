#include "binding/async.h"

namespace weir {

CompletionQueue::CompletionQueue(Napi::Env env) : env_(env) {
  napi_value name = Napi::String::New(env, "weir.completions");
  const napi_status status = napi_create_threadsafe_function(
      env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, &CompletionQueue::OnReady, &wake_);
  if (status != napi_ok) throw Napi::Error::New(env, "weir: the completion queue could not be created");
  napi_unref_threadsafe_function(env, wake_);
}

CompletionQueue::~CompletionQueue() { Stop(); }

std::pair<uint64_t, Napi::Promise> CompletionQueue::Create(
    const std::initializer_list<napi_value>& keep_alive) {
  Pending pending;
  napi_value promise;
  if (napi_create_promise(env_, &pending.deferred, &promise) != napi_ok) throw Napi::Error::New(env_);
  for (const napi_value value : keep_alive) {
    napi_ref reference;
    if (napi_create_reference(env_, value, 1, &reference) != napi_ok) throw Napi::Error::New(env_);
    pending.keep_alive.push_back(reference);
  }
  if (pending_.empty()) napi_ref_threadsafe_function(env_, wake_);
  const uint64_t id = next_id_++;
  pending_.emplace(id, std::move(pending));
  return {id, Napi::Promise(env_, promise)};
}

void CompletionQueue::Post(uint64_t id, Settle settle) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_) return;
  ready_.emplace_back(id, std::move(settle));
  // One wake-up settles all that is ready. The queue of the thread-safe function has no limit of its own and
  // holds at most one entry.
  if (ready_.size() == 1) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

void CompletionQueue::Stop() {
  std::vector<std::pair<uint64_t, Settle>> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    dropped.swap(ready_);
  }
  for (auto& [id, pending] : pending_) {
    for (const napi_ref reference : pending.keep_alive) napi_delete_reference(env_, reference);
  }
  pending_.clear();
}

void CompletionQueue::OnReady(napi_env env, napi_value /*callback*/, void* context, void* /*data*/) {
  // Without an environment the queue may be gone too: Node only empties the function's queue before it is
  // freed.
  if (env == nullptr) return;
  static_cast<CompletionQueue*>(context)->SettleReady(env);
}

void CompletionQueue::SettleReady(napi_env env) {
  std::vector<std::pair<uint64_t, Settle>> ready;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ready.swap(ready_);
  }
  for (auto& [id, settle] : ready) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) continue;
    const Pending pending = std::move(found->second);
    pending_.erase(found);
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return;
    SettleOne(env, pending, settle);
    for (const napi_ref reference : pending.keep_alive) napi_delete_reference(env, reference);
    napi_close_handle_scope(env, scope);
  }
  if (pending_.empty()) napi_unref_threadsafe_function(env, wake_);
}

// Statuses of the settling calls are not looked at: they fail only when the worker is being terminated, and
// then nobody waits.
void CompletionQueue::SettleOne(napi_env env, const Pending& pending, const Settle& settle) {
  try {
    const Result<napi_value> result = settle(Napi::Env(env));
    if (result.ok()) {
      napi_resolve_deferred(env, pending.deferred, result.value());
      return;
    }
    const napi_value error = ErrorValue(env, result.status());
    if (error != nullptr) napi_reject_deferred(env, pending.deferred, error);
  } catch (const Napi::Error& error) {
    const napi_value value = error.Value();
    if (value != nullptr) napi_reject_deferred(env, pending.deferred, value);
  }
}

AsyncRunner::AsyncRunner(Napi::Env env)
    : completions_(std::make_shared<CompletionQueue>(env)), threads_("weir-call", kThreadsMax, kWaitingMax) {}

void AsyncRunner::Submit(std::function<void()> task, const std::function<void(Status)>& refused) {
  if (threads_.Submit(std::move(task))) return;
  refused(
      Status("busy", "More than " + std::to_string(kWaitingMax) + " native calls wait on this thread", true));
}

void AsyncRunner::Stop() {
  threads_.Stop();
  completions_->Stop();
}

}  // namespace weir
