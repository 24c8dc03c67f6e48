#pragma once

#include <memory>

#include "binding/environment.h"
#include "binding/napi_setup.h"
#include "testing/local_producer.h"

namespace weir {

// src/native/local-producer.ts: LocalProducer.
//
// Threading: the environment's JS thread.
class LocalProducerObject : public Napi::ObjectWrap<LocalProducerObject>, public Environment::Object {
 public:
  explicit LocalProducerObject(const Napi::CallbackInfo& info);
  void CloseForTeardown() override { producer_.reset(); }

  // The core of `object`; null when it is no LocalProducer. Throws `closed`.
  static std::shared_ptr<LocalProducer> CoreOf(Napi::Object object);

 private:
  friend void RegisterLocalProducer(Napi::Env env, Napi::Object exports);
  const std::shared_ptr<LocalProducer>& producer(Napi::Env env) const;
  Napi::Value Topic(const Napi::CallbackInfo& info);
  Napi::Value Produce(const Napi::CallbackInfo& info);
  Napi::Value Settled(const Napi::CallbackInfo& info);
  Napi::Value DeliveredOffset(const Napi::CallbackInfo& info);
  Napi::Value FirstError(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  Napi::Value Take(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  std::shared_ptr<LocalProducer> producer_;  // null once closed
};

void RegisterLocalProducer(Napi::Env env, Napi::Object exports);

}  // namespace weir
