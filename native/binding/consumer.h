#pragma once

#include <memory>

#include "binding/environment.h"
#include "binding/event_callback.h"
#include "binding/napi_setup.h"
#include "binding/ready_poll.h"
#include "consume/consumer.h"
#include "consume/consumer_reader.h"

namespace weir {

// src/native/consumer.ts: Consumer. Two kinds: the owner, made by `new`, and a stream thread's reader, made by `attach`; a method of the other kind
// throws `invalid`.
//
// Threading: the environment's JS thread; what returns a Promise works on native threads and holds the core by shared_ptr.
class ConsumerObject : public Napi::ObjectWrap<ConsumerObject>, public Environment::Object {
 public:
  explicit ConsumerObject(const Napi::CallbackInfo& info);
  ~ConsumerObject() override;
  // An owner abandons the client. A reader closes its slots.
  void CloseForTeardown() override;

  static Napi::Value Attach(const Napi::CallbackInfo& info);

 private:
  friend void RegisterConsumer(Napi::Env env, Napi::Object exports);
  using Events = EventCallback<ConsumerEvent>;

  Consumer& Owned(Napi::Env env) const;
  ConsumerReader& Reader(Napi::Env env) const;
  PartitionSlot& Slot(const Napi::CallbackInfo& info, const char* method) const;

  Napi::Value Id(const Napi::CallbackInfo& info);
  void Subscribe(const Napi::CallbackInfo& info);
  void Assign(const Napi::CallbackInfo& info);
  void Unassign(const Napi::CallbackInfo& info);
  Napi::Value Committed(const Napi::CallbackInfo& info);
  Napi::Value Commit(const Napi::CallbackInfo& info);
  Napi::Value QueryWatermarks(const Napi::CallbackInfo& info);
  Napi::Value GroupMetadata(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  Napi::Value Open(const Napi::CallbackInfo& info);
  Napi::Value Poll(const Napi::CallbackInfo& info);
  void Seek(const Napi::CallbackInfo& info);
  void Pause(const Napi::CallbackInfo& info);
  void Resume(const Napi::CallbackInfo& info);
  void CloseSlot(const Napi::CallbackInfo& info);
  Napi::Value Position(const Napi::CallbackInfo& info);
  Napi::Value Watermarks(const Napi::CallbackInfo& info);
  void OnReady(const Napi::CallbackInfo& info);
  void Detach(const Napi::CallbackInfo& info);

  int64_t id_ = -1;
  std::shared_ptr<Consumer> owned_;         // an owner's; null once closed
  std::shared_ptr<Events> events_;          // an owner's
  std::unique_ptr<ConsumerReader> reader_;  // a reader's; null once detached
  ReadyPoll* ready_ = nullptr;              // a reader's
};

void RegisterConsumer(Napi::Env env, Napi::Object exports);

}  // namespace weir
