#pragma once

#include <memory>

#include "binding/environment.h"
#include "binding/napi_setup.h"
#include "state/merged_scan.h"

namespace weir {

// src/native.ts: Scan.
//
// Threading: the environment's JS thread.
class ScanObject : public Napi::ObjectWrap<ScanObject>, public Environment::Object {
 public:
  explicit ScanObject(const Napi::CallbackInfo& info);
  void CloseForTeardown() override;

  static Napi::Object Wrap(Napi::Env env, std::shared_ptr<MergedScan> scan);

 private:
  friend void RegisterScan(Napi::Env env);
  Napi::Value Next(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<MergedScan> scan_;  // null once closed
};

void RegisterScan(Napi::Env env);

}  // namespace weir
