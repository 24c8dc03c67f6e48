#include "binding/consumer.h"

#include <string>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/topic_partitions.h"

namespace weir {

namespace {

// The columns of a batch lie in one ArrayBuffer: two of doubles, six of int32.
RecordBatch ReadBatch(const Arguments& arguments) {
  const Bytes arena = arguments.Buffer(1, "arena");
  const Bytes columns = arguments.ArrayBuffer(2, "columns");
  const size_t capacity = arguments.Size(3, "capacity");
  if (columns.length < RecordBatch::ColumnBytes(capacity))
    arguments.Fail(2, "columns", "as large as the capacity needs");
  return RecordBatch::Over(arena.data, arena.length, columns.data, capacity);
}

napi_value EventValue(Napi::Env env, const ConsumerEvent& event) {
  Napi::Object object = Napi::Object::New(env);
  switch (event.type) {
    case ConsumerEvent::Type::kAssign:
      object.Set("type", "assign");
      object.Set("partitions", PartitionsValue(env, event.partitions));
      break;
    case ConsumerEvent::Type::kRevoke:
      object.Set("type", "revoke");
      object.Set("partitions", PartitionsValue(env, event.partitions));
      object.Set("lost", event.lost);
      break;
    case ConsumerEvent::Type::kError:
      object.Set("type", "error");
      object.Set("error", ErrorValue(env, event.error));
      break;
    case ConsumerEvent::Type::kStray:
      object.Set("type", "stray");
      object.Set("topic", event.partitions.front().topic);
      object.Set("partition", event.partitions.front().partition);
      object.Set("offset", static_cast<double>(event.offset));
      break;
  }
  return object;
}

}  // namespace

ConsumerObject::ConsumerObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ConsumerObject>(info), Environment::Object(Environment::Of(info.Env())) {
  // Without arguments: by Attach, which fills it in.
  if (info.Length() == 0) return;
  const Arguments arguments(info, "new Consumer");
  const auto config = arguments.StringMap(0, "config");
  events_ = std::make_shared<Events>(info.Env(), arguments.Function(1, "onEvent"), EventValue);
  Result<std::shared_ptr<Consumer>> consumer =
      Consumer::Create(config, [events = events_](ConsumerEvent event) {
        const bool may_drop = event.type == ConsumerEvent::Type::kError && !event.error.fatal();
        events->Post(std::move(event), may_drop);
      });
  if (!consumer.ok()) events_->Stop();
  owned_ = weir::Unwrap(info.Env(), std::move(consumer));
  id_ = owned_->id();
}

ConsumerObject::~ConsumerObject() {
  if (events_ != nullptr) events_->Stop();
}

void ConsumerObject::CloseForTeardown() {
  if (events_ != nullptr) events_->Stop();
  if (owned_ != nullptr) owned_->Abandon();
  owned_.reset();
  reader_.reset();
  // Its own hook closes the poll.
  ready_ = nullptr;
}

Napi::Value ConsumerObject::Attach(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Consumer.attach");
  const int64_t id = arguments.Integer(0, "id", 0);
  std::shared_ptr<Consumer> consumer = Consumer::Find(id);
  if (consumer == nullptr) throw Error(info.Env(), Status::Closed("The consumer " + std::to_string(id)));
  std::unique_ptr<ConsumerReader> reader =
      weir::Unwrap(info.Env(), ConsumerReader::Create(std::move(consumer)));
  Napi::Object object = Environment::Of(info.Env())->Construct("Consumer", {});
  ConsumerObject* const wrapped = ConsumerObject::Unwrap(object);
  wrapped->id_ = id;
  wrapped->reader_ = std::move(reader);
  return object;
}

Consumer& ConsumerObject::Owned(Napi::Env env) const {
  if (owned_ != nullptr) return *owned_;
  throw Error(env, events_ != nullptr
                       ? Status::Closed("The consumer")
                       : Status::Invalid(
                             "An attached consumer only reads; this is for the one that was made by `new`"));
}

ConsumerReader& ConsumerObject::Reader(Napi::Env env) const {
  if (reader_ != nullptr) return *reader_;
  throw Error(env, events_ == nullptr ? Status::Closed("The attached consumer")
                                      : Status::Invalid("Records are read through Consumer.attach"));
}

PartitionSlot& ConsumerObject::Slot(const Napi::CallbackInfo& info, const char* method) const {
  const Arguments arguments(info, method);
  PartitionSlot* const slot = Reader(info.Env()).Slot(arguments.Integer(0, "slot"));
  if (slot == nullptr) arguments.Fail(0, "slot", "an open slot");
  return *slot;
}

Napi::Value ConsumerObject::Id(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(id_));
}

void ConsumerObject::Subscribe(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Consumer.subscribe");
  ThrowIfFailed(info.Env(), Owned(info.Env()).Subscribe(arguments.Strings(0, "topics")));
}

void ConsumerObject::Assign(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Consumer.assign");
  ThrowIfFailed(info.Env(), Owned(info.Env()).Assign(ReadOffsets(arguments, 0, "partitions")));
}

void ConsumerObject::Unassign(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Consumer.unassign");
  ThrowIfFailed(info.Env(), Owned(info.Env()).Unassign(ReadPartitions(arguments, 0, "partitions")));
}

Napi::Value ConsumerObject::Committed(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Consumer.committed");
  Owned(info.Env());
  return environment().async().Run<std::vector<TopicPartitionOffset>>(
      {info.This()},
      [core = owned_, partitions = ReadPartitions(arguments, 0, "partitions"),
       timeout_ms = ReadTimeout(arguments, 1), cancellation = environment().cancellation()] {
        return core->Committed(partitions, timeout_ms, cancellation);
      },
      [](Napi::Env env, std::vector<TopicPartitionOffset>& offsets) -> napi_value {
        return OffsetsValue(env, offsets);
      });
}

Napi::Value ConsumerObject::Commit(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Consumer.commit");
  Owned(info.Env());
  return environment().async().Run(
      {info.This()},
      [core = owned_, offsets = ReadOffsets(arguments, 0, "offsets"),
       cancellation = environment().cancellation()] { return core->Commit(offsets, cancellation); });
}

Napi::Value ConsumerObject::QueryWatermarks(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Consumer.queryWatermarks");
  Owned(info.Env());
  using Pair = std::pair<int64_t, int64_t>;
  return environment().async().Run<Pair>(
      {info.This()},
      [core = owned_, topic = arguments.String(0, "topic"),
       partition = static_cast<int32_t>(arguments.Integer(1, "partition", 0, INT32_MAX)),
       timeout_ms = ReadTimeout(arguments, 2),
       uncommitted = info.Length() > 3 && arguments.Boolean(3, "uncommitted"),
       cancellation = environment().cancellation()] {
        return core->QueryWatermarks(topic, partition, timeout_ms, uncommitted, cancellation);
      },
      [](Napi::Env env, Pair& watermarks) -> napi_value {
        Napi::Array result = Napi::Array::New(env, 2);
        result.Set(0u, static_cast<double>(watermarks.first));
        result.Set(1u, static_cast<double>(watermarks.second));
        return result;
      });
}

Napi::Value ConsumerObject::GroupMetadata(const Napi::CallbackInfo& info) {
  const Consumer::Membership membership = weir::Unwrap(info.Env(), Owned(info.Env()).GroupMetadata());
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("memberId", membership.member_id);
  result.Set("generation", membership.generation);
  return result;
}

Napi::Value ConsumerObject::Close(const Napi::CallbackInfo& info) {
  // Events go on until it is closed: revocations have to be answered. `owned_` stays until then.
  const std::shared_ptr<Consumer> core = owned_;
  return environment().async().Run({info.This()},
                                   [core, events = events_, cancellation = environment().cancellation()] {
                                     return core == nullptr ? Status::Ok() : core->Close(cancellation);
                                   });
}

Napi::Value ConsumerObject::Open(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Consumer.open");
  const int32_t slot = weir::Unwrap(
      info.Env(), Reader(info.Env())
                      .Open(arguments.String(0, "topic"),
                            static_cast<int32_t>(arguments.Integer(1, "partition", 0, INT32_MAX)),
                            arguments.Integer(2, "offset", 0)));
  return Napi::Number::New(info.Env(), slot);
}

Napi::Value ConsumerObject::Poll(const Napi::CallbackInfo& info) {
  PartitionSlot& slot = Slot(info, "Consumer.poll");
  const int32_t count = weir::Unwrap(info.Env(), slot.Poll(ReadBatch(Arguments(info, "Consumer.poll"))));
  return Napi::Number::New(info.Env(), count);
}

void ConsumerObject::Seek(const Napi::CallbackInfo& info) {
  Slot(info, "Consumer.seek").Seek(Arguments(info, "Consumer.seek").Integer(1, "offset", 0));
}

void ConsumerObject::Pause(const Napi::CallbackInfo& info) { Slot(info, "Consumer.pause").Pause(); }

void ConsumerObject::Resume(const Napi::CallbackInfo& info) {
  Slot(info, "Consumer.resume").Resume(Arguments(info, "Consumer.resume").Integer(1, "offset", 0));
}

void ConsumerObject::CloseSlot(const Napi::CallbackInfo& info) {
  Slot(info, "Consumer.closeSlot");
  Reader(info.Env()).Close(Arguments(info, "Consumer.closeSlot").Integer(0, "slot"));
}

Napi::Value ConsumerObject::Watermarks(const Napi::CallbackInfo& info) {
  const auto [low, high] = Slot(info, "Consumer.watermarks").Watermarks();
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, static_cast<double>(low));
  result.Set(1u, static_cast<double>(high));
  return result;
}

Napi::Value ConsumerObject::Position(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Slot(info, "Consumer.position").Position()));
}

void ConsumerObject::OnReady(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Consumer.onReady");
  const Napi::Function callback = arguments.Function(0, "callback");
  const std::shared_ptr<Waker>& waker = Reader(info.Env()).waker();
  if (ready_ != nullptr)
    throw Error(info.Env(), Status::Invalid("Consumer.onReady: there is a callback already"));
  ready_ = ReadyPoll::Start(info.Env(), waker, callback);
}

void ConsumerObject::Detach(const Napi::CallbackInfo&) {
  if (ready_ != nullptr) std::exchange(ready_, nullptr)->Stop();
  reader_.reset();
}

void RegisterConsumer(Napi::Env env, Napi::Object exports) {
  using Wrapped = ConsumerObject;
  Napi::Function constructor =
      Wrapped::DefineClass(env, "Consumer",
                           {Wrapped::StaticMethod<&Wrapped::Attach>("attach"),
                            Wrapped::InstanceAccessor<&Wrapped::Id>("id"),
                            Wrapped::InstanceMethod<&Wrapped::Subscribe>("subscribe"),
                            Wrapped::InstanceMethod<&Wrapped::Assign>("assign"),
                            Wrapped::InstanceMethod<&Wrapped::Unassign>("unassign"),
                            Wrapped::InstanceMethod<&Wrapped::Committed>("committed"),
                            Wrapped::InstanceMethod<&Wrapped::Commit>("commit"),
                            Wrapped::InstanceMethod<&Wrapped::QueryWatermarks>("queryWatermarks"),
                            Wrapped::InstanceMethod<&Wrapped::GroupMetadata>("groupMetadata"),
                            Wrapped::InstanceMethod<&Wrapped::Close>("close"),
                            Wrapped::InstanceMethod<&Wrapped::Open>("open"),
                            Wrapped::InstanceMethod<&Wrapped::Poll>("poll"),
                            Wrapped::InstanceMethod<&Wrapped::Seek>("seek"),
                            Wrapped::InstanceMethod<&Wrapped::Pause>("pause"),
                            Wrapped::InstanceMethod<&Wrapped::Resume>("resume"),
                            Wrapped::InstanceMethod<&Wrapped::CloseSlot>("closeSlot"),
                            Wrapped::InstanceMethod<&Wrapped::Position>("position"),
                            Wrapped::InstanceMethod<&Wrapped::Watermarks>("watermarks"),
                            Wrapped::InstanceMethod<&Wrapped::OnReady>("onReady"),
                            Wrapped::InstanceMethod<&Wrapped::Detach>("detach")});
  Environment::Of(env)->AddClass("Consumer", constructor);
  exports.Set("Consumer", constructor);
}

}  // namespace weir
