#include "binding/exit_guard.h"

#include <unistd.h>

#include <chrono>
#include <thread>

#include "binding/arguments.h"

namespace weir {

namespace {

constexpr int64_t kMsMax = 3'600'000;

void EndWithin(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "endWithin");
  const std::chrono::milliseconds time(arguments.Integer(0, "ms", 0, kMsMax));
  const int code = static_cast<int>(arguments.Integer(1, "exitCode", 0, 255));
  // Nothing waits for it: it ends with the process, or ends that.
  std::thread([time, code] {
    std::this_thread::sleep_for(time);
    _exit(code);
  }).detach();
}

}  // namespace

void RegisterExitGuard(Napi::Env env, Napi::Object exports) {
  exports.Set("endWithin", Napi::Function::New<EndWithin>(env, "endWithin"));
}

}  // namespace weir
