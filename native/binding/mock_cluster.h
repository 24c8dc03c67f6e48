#pragma once

#include <memory>

#include "binding/environment.h"
#include "binding/napi_setup.h"
#include "testing/mock_cluster.h"

namespace weir {

// src/native/mock-cluster.ts: MockCluster.
//
// Threading: the environment's JS thread.
class MockClusterObject : public Napi::ObjectWrap<MockClusterObject>, public Environment::Object {
 public:
  explicit MockClusterObject(const Napi::CallbackInfo& info);
  void CloseForTeardown() override { cluster_.reset(); }

 private:
  friend void RegisterMockCluster(Napi::Env env, Napi::Object exports);
  MockCluster& cluster(Napi::Env env) const;
  Napi::Value BootstrapServers(const Napi::CallbackInfo& info);
  void CreateTopic(const Napi::CallbackInfo& info);
  void InjectErrors(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::unique_ptr<MockCluster> cluster_;  // null once closed
};

void RegisterMockCluster(Napi::Env env, Napi::Object exports);

}  // namespace weir
