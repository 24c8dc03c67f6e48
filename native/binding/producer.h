#pragma once

#include <memory>

#include "binding/environment.h"
#include "binding/napi_setup.h"
#include "produce/producer.h"

namespace weir {

// src/native/producer.ts: Producer.
//
// Threading: the environment's JS thread; what returns a Promise works on native threads and holds the core by shared_ptr.
class ProducerObject : public Napi::ObjectWrap<ProducerObject>, public Environment::Object {
 public:
  explicit ProducerObject(const Napi::CallbackInfo& info);
  void CloseForTeardown() override;

  // Throws `closed`.
  const std::shared_ptr<Producer>& producer(Napi::Env env) const;

 private:
  friend void RegisterProducer(Napi::Env env, Napi::Object exports);
  Napi::Value Topic(const Napi::CallbackInfo& info);
  Napi::Value Produce(const Napi::CallbackInfo& info);
  Napi::Value Writable(const Napi::CallbackInfo& info);
  Napi::Value Flush(const Napi::CallbackInfo& info);
  Napi::Value DeliveredOffset(const Napi::CallbackInfo& info);
  Napi::Value TakeFailures(const Napi::CallbackInfo& info);
  Napi::Value FirstError(const Napi::CallbackInfo& info);
  Napi::Value InitTransactions(const Napi::CallbackInfo& info);
  Napi::Value BeginTransaction(const Napi::CallbackInfo& info);
  Napi::Value SendOffsets(const Napi::CallbackInfo& info);
  Napi::Value CommitTransaction(const Napi::CallbackInfo& info);
  Napi::Value AbortTransaction(const Napi::CallbackInfo& info);
  Napi::Value Restart(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  // A call with only a timeout, on a native thread.
  using TimedCall = Status (Producer::*)(int64_t timeout_ms);
  Napi::Value RunTimed(const Napi::CallbackInfo& info, const char* method, TimedCall call);

  std::shared_ptr<Producer> producer_;  // null once closed
};

void RegisterProducer(Napi::Env env, Napi::Object exports);

}  // namespace weir
