#pragma once

#include <memory>

#include "admin/admin.h"
#include "binding/environment.h"
#include "binding/napi_setup.h"

namespace weir {

// src/native/admin.ts: Admin.
//
// Threading: the environment's JS thread; requests run on native threads and hold the core by shared_ptr.
class AdminObject : public Napi::ObjectWrap<AdminObject>, public Environment::Object {
 public:
  explicit AdminObject(const Napi::CallbackInfo& info);
  void CloseForTeardown() override;

 private:
  friend void RegisterAdmin(Napi::Env env, Napi::Object exports);
  const std::shared_ptr<Admin>& admin(Napi::Env env) const;
  Napi::Value DescribeTopics(const Napi::CallbackInfo& info);
  Napi::Value TopicConfigs(const Napi::CallbackInfo& info);
  Napi::Value CreateTopics(const Napi::CallbackInfo& info);
  Napi::Value DeleteTopics(const Napi::CallbackInfo& info);
  Napi::Value DeleteRecords(const Napi::CallbackInfo& info);
  Napi::Value ListOffsets(const Napi::CallbackInfo& info);
  Napi::Value GroupOffsets(const Napi::CallbackInfo& info);
  Napi::Value DescribeGroup(const Napi::CallbackInfo& info);
  Napi::Value AlterGroupOffsets(const Napi::CallbackInfo& info);
  Napi::Value DeleteGroupOffsets(const Napi::CallbackInfo& info);
  Napi::Value ListTopics(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  std::shared_ptr<Admin> admin_;  // null once closed
};

void RegisterAdmin(Napi::Env env, Napi::Object exports);

}  // namespace weir
