#include "binding/state_memory.h"

#include <limits>

#include "binding/arguments.h"
#include "binding/errors.h"

namespace weir {

StateMemoryObject::StateMemoryObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<StateMemoryObject>(info), Environment::Object(Environment::Of(info.Env())) {}

const std::shared_ptr<StateMemory>& StateMemoryObject::memory(Napi::Env env) const {
  if (memory_ == nullptr) throw Error(env, Status::Closed("The state memory"));
  return memory_;
}

Napi::Value StateMemoryObject::Acquire(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "StateMemory.acquire");
  Properties options(arguments.Object(0, "options"), "StateMemory.acquire: options");
  constexpr int64_t kThreadsMax = 1024;
  const StateMemoryOptions read{
      static_cast<size_t>(options.Integer("blockCacheBytes", 1)),
      static_cast<size_t>(options.Integer("writeBufferBytes", 1)),
      static_cast<int>(options.Integer("backgroundThreads", 1, kThreadsMax)),
      static_cast<int>(options.Integer("readThreads", 1, kThreadsMax)),
      static_cast<int>(options.Integer("maxOpenFiles", -1, std::numeric_limits<int>::max())),
      options.OptionalInteger("rateLimitBytesPerSecond", 0, int64_t{1} << 50).value_or(0),
      options.OptionalInteger("keptBytesMax", 0, int64_t{1} << 50).value_or(0)};
  options.RejectUnknown();
  std::shared_ptr<StateMemory> memory = weir::Unwrap(info.Env(), StateMemory::Acquire(read));
  Napi::Object object = Environment::Of(info.Env())->Construct("StateMemory", {});
  StateMemoryObject::Unwrap(object)->memory_ = std::move(memory);
  return object;
}

Napi::Value StateMemoryObject::Usage(const Napi::CallbackInfo& info) {
  const StateMemoryUsage usage = memory(info.Env())->Usage();
  Napi::Object result = Napi::Object::New(info.Env());
  const auto set = [&result](const char* name, double value) { result.Set(name, value); };
  set("blockCacheBytes", static_cast<double>(usage.block_cache_bytes));
  set("blockCachePinnedBytes", static_cast<double>(usage.block_cache_pinned_bytes));
  set("memtableBytes", static_cast<double>(usage.memtable_bytes));
  set("memtablePeakBytes", static_cast<double>(usage.memtable_peak_bytes));
  set("overlayBytes", static_cast<double>(usage.overlay_bytes));
  set("inMemoryBytes", static_cast<double>(usage.in_memory_bytes));
  set("arbiterFlushes", static_cast<double>(usage.arbiter_flushes));
  set("databases", usage.databases);
  set("scans", usage.scans);
  return result;
}

Napi::Value StateMemoryObject::Counts(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  for (const RocksdbCount& count : memory(info.Env())->Counts())
    result.Set(count.name, static_cast<double>(count.total));
  return result;
}

void StateMemoryObject::Close(const Napi::CallbackInfo&) { memory_.reset(); }

void RegisterStateMemory(Napi::Env env, Napi::Object exports) {
  const Napi::Function constructor =
      StateMemoryObject::DefineClass(env, "StateMemory",
                                     {StateMemoryObject::InstanceMethod<&StateMemoryObject::Usage>("usage"),
                                      StateMemoryObject::InstanceMethod<&StateMemoryObject::Counts>("counts"),
                                      StateMemoryObject::InstanceMethod<&StateMemoryObject::Close>("close")});
  Environment::Of(env)->AddClass("StateMemory", constructor);
  Napi::Object name = Napi::Object::New(env);
  name.Set("acquire", Napi::Function::New<StateMemoryObject::Acquire>(env, "acquire"));
  exports.Set("StateMemory", name);
}

}  // namespace weir
