#include "binding/local_producer.h"

#include <limits>
#include <string>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/produce_arguments.h"

namespace weir {

namespace {

constexpr const char* kClassName = "LocalProducer";

Napi::Value Resolved(Napi::Env env) {
  const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
  deferred.Resolve(env.Undefined());
  return deferred.Promise();
}

}  // namespace

LocalProducerObject::LocalProducerObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<LocalProducerObject>(info),
      Environment::Object(Environment::Of(info.Env())),
      producer_(std::make_shared<LocalProducer>()) {}

std::shared_ptr<LocalProducer> LocalProducerObject::CoreOf(Napi::Object object) {
  if (!Environment::Of(object.Env())->IsOf(kClassName, object)) return nullptr;
  return LocalProducerObject::Unwrap(object)->producer(object.Env());
}

const std::shared_ptr<LocalProducer>& LocalProducerObject::producer(Napi::Env env) const {
  if (producer_ == nullptr) throw Error(env, Status::Closed("The producer"));
  return producer_;
}

Napi::Value LocalProducerObject::Topic(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "LocalProducer.topic");
  arguments.Integer(1, "partitions", 1, 1);
  return Napi::Number::New(info.Env(), producer(info.Env())->Topic(arguments.String(0, "name")));
}

Napi::Value LocalProducerObject::Produce(const Napi::CallbackInfo& info) {
  const auto [batch, from, count] = ProduceArguments::Read(Arguments(info, "LocalProducer.produce"));
  ThrowIfFailed(info.Env(), producer(info.Env())->Produce(batch, from, count));
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

Napi::Value LocalProducerObject::Settled(const Napi::CallbackInfo& info) {
  producer(info.Env());
  return Resolved(info.Env());
}

Napi::Value LocalProducerObject::DeliveredOffset(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "LocalProducer.deliveredOffset");
  const int topic = static_cast<int>(arguments.Integer(0, "topic", 0, std::numeric_limits<int32_t>::max()));
  arguments.Integer(1, "partition", 0, 0);
  const std::shared_ptr<LocalProducer>& core = producer(info.Env());
  if (!core->HasTopic(topic)) arguments.Fail(0, "topic", "the id of a registered topic");
  return Napi::Number::New(info.Env(), static_cast<double>(core->DeliveredOffset(topic, 0)));
}

Napi::Value LocalProducerObject::FirstError(const Napi::CallbackInfo& info) {
  producer(info.Env());
  return info.Env().Null();
}

Napi::Value LocalProducerObject::Stats(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("queuedRecords", 0);
  result.Set("queuedBytes", 0);
  result.Set("deliveredRecords", static_cast<double>(producer(info.Env())->delivered_records()));
  return result;
}

Napi::Value LocalProducerObject::Take(const Napi::CallbackInfo& info) {
  const std::string records = producer(info.Env())->Take();
  return Napi::Buffer<char>::Copy(info.Env(), records.data(), records.size());
}

Napi::Value LocalProducerObject::Close(const Napi::CallbackInfo& info) {
  producer_.reset();
  return Resolved(info.Env());
}

void RegisterLocalProducer(Napi::Env env, Napi::Object exports) {
  using Wrapped = LocalProducerObject;
  const Napi::Function constructor = Wrapped::DefineClass(
      env, kClassName,
      {Wrapped::InstanceMethod<&Wrapped::Topic>("topic"),
       Wrapped::InstanceMethod<&Wrapped::Produce>("produce"),
       Wrapped::InstanceMethod<&Wrapped::Settled>("writable"),
       Wrapped::InstanceMethod<&Wrapped::Settled>("flush"),
       Wrapped::InstanceMethod<&Wrapped::DeliveredOffset>("deliveredOffset"),
       Wrapped::InstanceMethod<&Wrapped::FirstError>("firstError"),
       Wrapped::InstanceMethod<&Wrapped::Stats>("stats"), Wrapped::InstanceMethod<&Wrapped::Take>("take"),
       Wrapped::InstanceMethod<&Wrapped::Close>("close")});
  Environment::Of(env)->AddClass(kClassName, constructor);
  exports.Set(kClassName, constructor);
}

}  // namespace weir
