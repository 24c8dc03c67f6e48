#pragma once

#include <memory>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/napi_setup.h"
#include "state/merged_scan.h"
#include "state/task_database.h"

namespace weir {

// src/native/scan.ts: Scan.
//
// Threading: the environment's JS thread.
class ScanObject : public Napi::ObjectWrap<ScanObject>, public Environment::Object {
 public:
  explicit ScanObject(const Napi::CallbackInfo& info);
  void CloseForTeardown() override;

  // A scan of a store; `from` and `to` are arguments 1 and 2, `reverse` argument 3.
  static Napi::Object Open(const Arguments& arguments, const std::shared_ptr<TaskDatabase>& database,
                           size_t store);

 private:
  friend void RegisterScan(Napi::Env env);
  Napi::Value Next(const Napi::CallbackInfo& info);
  Napi::Value Restart(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  // Begins at the range that the arguments from `first` on tell: from, to, reverse.
  void Begin(const Arguments& arguments, size_t first);
  // Copies rows into the arguments from `first` on: out, columns, capacity.
  Napi::Value Copy(const Arguments& arguments, size_t first);

  // Where to begin anew. Not an owner: a closed database ends though its scans are kept.
  std::weak_ptr<TaskDatabase> database_;
  size_t store_ = 0;
  std::shared_ptr<MergedScan> scan_;  // null before Begin and after the environment's end
};

void RegisterScan(Napi::Env env);

}  // namespace weir
