#pragma once

#include <memory>

#include "binding/environment.h"
#include "binding/napi_setup.h"
#include "state/task_database.h"

namespace weir {

// src/native/task-database.ts: TaskDatabase.
//
// Threading: the environment's JS thread; what returns a Promise works on native threads and holds the core
// by shared_ptr.
class TaskDatabaseObject : public Napi::ObjectWrap<TaskDatabaseObject>, public Environment::Object {
 public:
  explicit TaskDatabaseObject(const Napi::CallbackInfo& info);
  void CloseForTeardown() override;

  // Throws `closed`.
  const std::shared_ptr<TaskDatabase>& database(Napi::Env env) const;

  static Napi::Value Open(const Napi::CallbackInfo& info);
  static Napi::Value Attach(const Napi::CallbackInfo& info);
  static Napi::Value RocksdbSettingsKnown(const Napi::CallbackInfo& info);
  static Napi::Value Inspect(const Napi::CallbackInfo& info);
  static void CheckRocksdb(const Napi::CallbackInfo& info);

 private:
  friend void RegisterTaskDatabase(Napi::Env env, Napi::Object exports);
  Napi::Value Get(const Napi::CallbackInfo& info);
  Napi::Value MultiGetRows(const Napi::CallbackInfo& info);
  Napi::Value Apply(const Napi::CallbackInfo& info);
  void PutVersion(const Napi::CallbackInfo& info);
  Napi::Value GetVersion(const Napi::CallbackInfo& info);
  Napi::Value Scan(const Napi::CallbackInfo& info);
  Napi::Value Drain(const Napi::CallbackInfo& info);
  Napi::Value Commit(const Napi::CallbackInfo& info);
  void Discard(const Napi::CallbackInfo& info);
  Napi::Value Empty(const Napi::CallbackInfo& info);
  Napi::Value Flush(const Napi::CallbackInfo& info);
  Napi::Value Offsets(const Napi::CallbackInfo& info);
  Napi::Value ChangelogEnds(const Napi::CallbackInfo& info);
  Napi::Value CommittedOffsets(const Napi::CallbackInfo& info);
  void SetTopicIds(const Napi::CallbackInfo& info);
  void SetSourceOffsets(const Napi::CallbackInfo& info);
  Napi::Value ObservedBy(const Napi::CallbackInfo& info);
  Napi::Value PropertyValues(const Napi::CallbackInfo& info);
  Napi::Value StorePropertyValues(const Napi::CallbackInfo& info);
  Napi::Value ApproximateEntries(const Napi::CallbackInfo& info);
  Napi::Value Share(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  std::shared_ptr<TaskDatabase> database_;  // null once closed
};

void RegisterTaskDatabase(Napi::Env env, Napi::Object exports);

}  // namespace weir
