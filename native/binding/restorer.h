#pragma once

#include <memory>

#include "binding/environment.h"
#include "binding/napi_setup.h"
#include "restore/restorer.h"

namespace weir {

// src/native/restorer.ts: Restorer. A holder of the process's Restorer.
//
// Threading: the environment's JS thread.
class RestorerObject : public Napi::ObjectWrap<RestorerObject>, public Environment::Object {
 public:
  explicit RestorerObject(const Napi::CallbackInfo& info);
  void CloseForTeardown() override { restorer_.reset(); }

  static Napi::Value Acquire(const Napi::CallbackInfo& info);

 private:
  friend void RegisterRestorer(Napi::Env env, Napi::Object exports);
  Napi::Value Restore(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<Restorer> restorer_;  // null once closed
};

// src/native/restorer.ts: RestoreJob.
//
// Threading: the environment's JS thread.
class RestoreJobObject : public Napi::ObjectWrap<RestoreJobObject>, public Environment::Object {
 public:
  explicit RestoreJobObject(const Napi::CallbackInfo& info);
  // The environment's end waits for the job: it works on a database of the environment.
  void CloseForTeardown() override;

  void Begin(std::shared_ptr<Restorer> restorer, std::shared_ptr<RestoreJob> job);

 private:
  friend void RegisterRestorer(Napi::Env env, Napi::Object exports);
  Napi::Value Progress(const Napi::CallbackInfo& info);
  void Stop(const Napi::CallbackInfo& info);

  std::shared_ptr<Restorer> restorer_;
  std::shared_ptr<RestoreJob> job_;
};

void RegisterRestorer(Napi::Env env, Napi::Object exports);

}  // namespace weir
