#include "binding/producer.h"

#include <limits>
#include <utility>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/produce_arguments.h"
#include "binding/topic_partitions.h"

namespace weir {

ProducerObject::ProducerObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ProducerObject>(info), Environment::Object(Environment::Of(info.Env())) {
  const Arguments arguments(info, "new Producer");
  producer_ = weir::Unwrap(info.Env(),
                           Producer::Create(arguments.StringMap(0, "config"), environment().cancellation()));
}

void ProducerObject::CloseForTeardown() {
  if (producer_ != nullptr) producer_->Close();
  producer_.reset();
}

const std::shared_ptr<Producer>& ProducerObject::producer(Napi::Env env) const {
  if (producer_ == nullptr) throw Error(env, Status::Closed("The producer"));
  return producer_;
}

Napi::Value ProducerObject::Topic(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Producer.topic");
  const int id =
      weir::Unwrap(info.Env(), producer(info.Env())
                                   ->Topic(arguments.String(0, "name"), arguments.Integer(1, "partitions"),
                                           info.Length() > 2 && arguments.Boolean(2, "keepsFailures")));
  return Napi::Number::New(info.Env(), id);
}

Napi::Value ProducerObject::Produce(const Napi::CallbackInfo& info) {
  const auto [batch, from, count] = ProduceArguments::Read(Arguments(info, "Producer.produce"));
  const size_t taken = weir::Unwrap(info.Env(), producer(info.Env())->Produce(batch, from, count));
  return Napi::Number::New(info.Env(), static_cast<double>(taken));
}

Napi::Value ProducerObject::Writable(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Producer> core = producer(info.Env());
  auto [completion, promise] = environment().async().Create({info.This()});
  core->OnWritable([completion = completion](Status status) { completion(std::move(status)); });
  return promise;
}

Napi::Value ProducerObject::RunTimed(const Napi::CallbackInfo& info, const char* method, TimedCall call) {
  const Arguments arguments(info, method);
  const std::shared_ptr<Producer> core = producer(info.Env());
  const int64_t timeout_ms = arguments.Integer(0, "timeoutMs", 0);
  return environment().async().Run({info.This()},
                                   [core, call, timeout_ms] { return (core.get()->*call)(timeout_ms); });
}

Napi::Value ProducerObject::Flush(const Napi::CallbackInfo& info) {
  return RunTimed(info, "Producer.flush", &Producer::Flush);
}

Napi::Value ProducerObject::InitTransactions(const Napi::CallbackInfo& info) {
  return RunTimed(info, "Producer.initTransactions", &Producer::InitTransactions);
}

Napi::Value ProducerObject::BeginTransaction(const Napi::CallbackInfo& info) {
  ThrowIfFailed(info.Env(), producer(info.Env())->BeginTransaction());
  return info.Env().Undefined();
}

Napi::Value ProducerObject::SendOffsets(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Producer.sendOffsets");
  const std::shared_ptr<Producer> core = producer(info.Env());
  std::vector<TopicPartitionOffset> offsets = ReadOffsets(arguments, 0, "offsets");
  Properties properties(arguments.Object(1, "member"), "Producer.sendOffsets: member");
  GroupMember member{
      properties.String("groupId"), properties.String("memberId"),
      static_cast<int32_t>(properties.Integer("generation", 0, std::numeric_limits<int32_t>::max())),
      properties.OptionalString("groupInstanceId").value_or("")};
  properties.RejectUnknown();
  const int timeout_ms = ReadTimeout(arguments, 2);
  return environment().async().Run(
      {info.This()}, [core, offsets = std::move(offsets), member = std::move(member), timeout_ms] {
        return core->SendOffsets(offsets, member, timeout_ms);
      });
}

Napi::Value ProducerObject::CommitTransaction(const Napi::CallbackInfo& info) {
  return RunTimed(info, "Producer.commitTransaction", &Producer::CommitTransaction);
}

Napi::Value ProducerObject::AbortTransaction(const Napi::CallbackInfo& info) {
  return RunTimed(info, "Producer.abortTransaction", &Producer::AbortTransaction);
}

Napi::Value ProducerObject::Restart(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Producer> core = producer(info.Env());
  return environment().async().Run({info.This()}, [core] { return core->Restart(); });
}

Napi::Value ProducerObject::DeliveredOffset(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Producer.deliveredOffset");
  const int64_t topic = arguments.Integer(0, "topic", 0, std::numeric_limits<int32_t>::max());
  const ProducedTopic* const known = producer(info.Env())->FindTopic(topic);
  if (known == nullptr) arguments.Fail(0, "topic", "the id of a registered topic");
  const int64_t partition = arguments.Integer(1, "partition", 0, known->partitions() - 1);
  return Napi::Number::New(
      info.Env(),
      static_cast<double>(
          producer(info.Env())->DeliveredOffset(static_cast<int>(topic), static_cast<int32_t>(partition))));
}

Napi::Value ProducerObject::TakeFailures(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto bytes = [env](const std::optional<std::string>& part) -> Napi::Value {
    if (!part.has_value()) return env.Null();
    return Napi::Buffer<char>::Copy(env, part->data(), part->size());
  };
  const std::vector<FailedDelivery> failures = producer(env)->TakeFailures();
  Napi::Array result = Napi::Array::New(env, failures.size());
  for (size_t i = 0; i < failures.size(); i++) {
    const FailedDelivery& failed = failures[i];
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", failed.topic);
    object.Set("partition", failed.partition);
    object.Set("timestamp", static_cast<double>(failed.timestamp_ms));
    object.Set("key", bytes(failed.key));
    object.Set("value", bytes(failed.value));
    object.Set("headers", failed.headers.empty() ? env.Null() : bytes(failed.headers));
    object.Set("error", Napi::Value(env, ErrorValue(env, failed.error)));
    result.Set(static_cast<uint32_t>(i), object);
  }
  return result;
}

Napi::Value ProducerObject::FirstError(const Napi::CallbackInfo& info) {
  const Status error = producer(info.Env())->FirstError();
  return error.ok() ? info.Env().Null() : Napi::Value(info.Env(), ErrorValue(info.Env(), error));
}

Napi::Value ProducerObject::Stats(const Napi::CallbackInfo& info) {
  const Producer::Stats stats = producer(info.Env())->GetStats();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("queuedRecords", static_cast<double>(stats.queued_records));
  result.Set("queuedBytes", static_cast<double>(stats.queued_bytes));
  result.Set("deliveredRecords", static_cast<double>(stats.delivered_records));
  return result;
}

Napi::Value ProducerObject::Close(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Producer> core = std::exchange(producer_, nullptr);
  return environment().async().Run({info.This()}, [core] {
    if (core != nullptr) core->Close();
    return Status::Ok();
  });
}

void RegisterProducer(Napi::Env env, Napi::Object exports) {
  using Wrapped = ProducerObject;
  exports.Set("Producer",
              Wrapped::DefineClass(env, "Producer",
                                   {Wrapped::InstanceMethod<&Wrapped::Topic>("topic"),
                                    Wrapped::InstanceMethod<&Wrapped::Produce>("produce"),
                                    Wrapped::InstanceMethod<&Wrapped::Writable>("writable"),
                                    Wrapped::InstanceMethod<&Wrapped::Flush>("flush"),
                                    Wrapped::InstanceMethod<&Wrapped::DeliveredOffset>("deliveredOffset"),
                                    Wrapped::InstanceMethod<&Wrapped::TakeFailures>("takeFailures"),
                                    Wrapped::InstanceMethod<&Wrapped::FirstError>("firstError"),
                                    Wrapped::InstanceMethod<&Wrapped::InitTransactions>("initTransactions"),
                                    Wrapped::InstanceMethod<&Wrapped::BeginTransaction>("beginTransaction"),
                                    Wrapped::InstanceMethod<&Wrapped::SendOffsets>("sendOffsets"),
                                    Wrapped::InstanceMethod<&Wrapped::CommitTransaction>("commitTransaction"),
                                    Wrapped::InstanceMethod<&Wrapped::AbortTransaction>("abortTransaction"),
                                    Wrapped::InstanceMethod<&Wrapped::Restart>("restart"),
                                    Wrapped::InstanceMethod<&Wrapped::Stats>("stats"),
                                    Wrapped::InstanceMethod<&Wrapped::Close>("close")}));
}

}  // namespace weir
