#pragma once

#include <memory>

#include "binding/environment.h"
#include "binding/event_callback.h"
#include "binding/napi_setup.h"
#include "common/kafka_log.h"

namespace weir {

// KafkaLog of src/native/kafka-log.ts.
class KafkaLogObject : public Napi::ObjectWrap<KafkaLogObject>, public Environment::Object {
 public:
  explicit KafkaLogObject(const Napi::CallbackInfo& info);
  ~KafkaLogObject() override { End(); }

  void Close(const Napi::CallbackInfo&) { End(); }
  void CloseForTeardown() override { End(); }

 private:
  using Lines = EventCallback<KafkaLogLine>;

  void End();

  std::shared_ptr<Lines> lines_;
  std::unique_ptr<KafkaLogSink> sink_;
};

void RegisterKafkaLog(Napi::Env env, Napi::Object exports);

}  // namespace weir
