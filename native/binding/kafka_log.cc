#include "binding/kafka_log.h"

#include <utility>

#include "binding/arguments.h"

namespace weir {

namespace {

napi_value LineValue(Napi::Env env, const KafkaLogLine& line) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("client", line.client);
  object.Set("level", line.level);
  object.Set("facility", line.facility);
  object.Set("message", line.message);
  return object;
}

}  // namespace

KafkaLogObject::KafkaLogObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<KafkaLogObject>(info), Environment::Object(Environment::Of(info.Env())) {
  const Arguments arguments(info, "new KafkaLog");
  lines_ = std::make_shared<Lines>(info.Env(), arguments.Function(0, "onLine"), LineValue);
  sink_ = std::make_unique<KafkaLogSink>(
      [lines = lines_](KafkaLogLine line) { lines->Post(std::move(line), true); });
}

void KafkaLogObject::End() {
  sink_.reset();
  if (lines_ != nullptr) lines_->Stop();
}

void RegisterKafkaLog(Napi::Env env, Napi::Object exports) {
  using Wrapped = KafkaLogObject;
  exports.Set("KafkaLog",
              Wrapped::DefineClass(env, "KafkaLog", {Wrapped::InstanceMethod<&Wrapped::Close>("close")}));
}

}  // namespace weir
