#pragma once

#include <memory>

#include "binding/environment.h"
#include "binding/napi_setup.h"
#include "state/state_memory.h"

namespace weir {

// src/native/state-memory.ts: StateMemory. A holder of the process's StateMemory.
//
// Threading: the environment's JS thread.
class StateMemoryObject : public Napi::ObjectWrap<StateMemoryObject>, public Environment::Object {
 public:
  explicit StateMemoryObject(const Napi::CallbackInfo& info);
  void CloseForTeardown() override { memory_.reset(); }

  // Throws `closed`.
  const std::shared_ptr<StateMemory>& memory(Napi::Env env) const;

  static Napi::Value Acquire(const Napi::CallbackInfo& info);

 private:
  friend void RegisterStateMemory(Napi::Env env, Napi::Object exports);
  Napi::Value Usage(const Napi::CallbackInfo& info);
  Napi::Value Counts(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<StateMemory> memory_;  // null once closed
};

void RegisterStateMemory(Napi::Env env, Napi::Object exports);

}  // namespace weir
