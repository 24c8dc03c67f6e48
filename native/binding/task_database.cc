#include "binding/task_database.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/local_producer.h"
#include "binding/producer.h"
#include "binding/scan.h"
#include "binding/state_memory.h"
#include "state/inspection.h"

namespace weir {

namespace {

Napi::Array NumbersOf(Napi::Env env, const std::vector<int64_t>& numbers) {
  Napi::Array result = Napi::Array::New(env, numbers.size());
  for (uint32_t i = 0; i < numbers.size(); i++) result.Set(i, static_cast<double>(numbers[i]));
  return result;
}

std::optional<SegmentSettings> ReadSegments(const std::optional<Napi::Object>& object,
                                            const std::string& where) {
  if (!object.has_value()) return std::nullopt;
  Properties segments(*object, where);
  const SegmentSettings settings{
      segments.Integer("retentionMs", 0), segments.Integer("intervalMs", 1),
      static_cast<size_t>(segments.Integer("suffixBytes", SegmentSettings::kVersionedSuffixBytes,
                                           SegmentSettings::kSessionSuffixBytes))};
  segments.RejectUnknown();
  if (!settings.versioned() && settings.suffix_bytes < SegmentSettings::kWindowSuffixBytes)
    throw Error(object->Env(), Status::Invalid(where + ".suffixBytes must be 0, or from 12 to 16"));
  return settings;
}

// One header `v` of one byte, as produced records have theirs.
std::string VersionHeader(char version) {
  std::string headers(14, '\0');
  headers[3] = 1;
  headers[7] = 1;
  headers[8] = 'v';
  headers[12] = 1;
  headers[13] = version;
  return headers;
}

// What a look-up or a put of a versioned store writes besides its result.
double* VersionTimes(const Arguments& arguments, size_t index) {
  const Span<double> times = arguments.Float64Array(index, "result");
  if (times.length < 2) arguments.Fail(index, "result", "of two elements");
  return times.data;
}

std::string_view KeyArgument(const Arguments& arguments, std::string_view arena) {
  std::string_view key;
  if (!SliceOf(arena, static_cast<int32_t>(arguments.Size(2, "keyStart")),
               static_cast<int32_t>(arguments.Size(3, "keyLength")), &key))
    arguments.Fail(2, "keyStart", "within the arena");
  return key;
}

TaskDatabaseOptions ReadOptions(const Arguments& arguments) {
  Properties properties(arguments.Object(1, "options"), "TaskDatabase.open: options");
  TaskDatabaseOptions options{
      properties.String("path"),
      static_cast<int32_t>(properties.Integer("partition", 0, std::numeric_limits<int32_t>::max())),
      {},
      properties.Integer("flushEveryRecords", 1),
      properties.Integer("flushIntervalMs", 1),
      properties.OptionalStringMap("rocksdb")};
  const Napi::Array stores = properties.Array("stores");
  properties.RejectUnknown();
  for (uint32_t i = 0; i < stores.Length(); i++) {
    const std::string where = "TaskDatabase.open: options.stores[" + std::to_string(i) + "]";
    Properties store(ObjectAt(stores, i, where), where);
    options.stores.push_back({store.String("name"), store.Boolean("timestamped"),
                              store.OptionalString("changelogTopic"), store.OptionalBoolean("inMemory")});
    options.stores.back().rocksdb = store.OptionalStringMap("rocksdb");
    if (const std::optional<int64_t> version = store.OptionalInteger("changelogVersion", 0, 255))
      options.stores.back().changelog_headers = VersionHeader(static_cast<char>(*version));
    options.stores.back().segments = ReadSegments(store.OptionalObject("segments"), where + ".segments");
    store.RejectUnknown();
  }
  return options;
}

// The rows' memory goes over to the Buffer.
napi_value RowsBuffer(Napi::Env env, MultiGet& multi_get) {
  const size_t size = multi_get.rows().size();
  uint8_t* const rows = multi_get.rows().Release();
  if (rows == nullptr) return Napi::Buffer<uint8_t>::New(env, 0);
  return Napi::Buffer<uint8_t>::New(env, rows, size, [](Napi::Env, uint8_t* data) { std::free(data); });
}

Napi::Value KeyOrNull(Napi::Env env, const std::optional<std::string>& key) {
  if (!key.has_value()) return env.Null();
  return Napi::Buffer<char>::Copy(env, key->data(), key->size());
}

Napi::Value SegmentsArray(Napi::Env env, const std::vector<SegmentInspection>& segments) {
  Napi::Array result = Napi::Array::New(env, segments.size());
  for (uint32_t i = 0; i < segments.size(); i++) {
    Napi::Object segment = Napi::Object::New(env);
    segment.Set("segment", static_cast<double>(segments[i].segment));
    segment.Set("bytes", static_cast<double>(segments[i].bytes));
    const std::optional<uint64_t>& keys = segments[i].keys;
    segment.Set("keys", keys.has_value() ? Napi::Number::New(env, static_cast<double>(*keys))
                                         : Napi::Value(env.Null()));
    result.Set(i, segment);
  }
  return result;
}

Napi::Object OffsetObject(Napi::Env env, const StoreOffset& offset) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("store", offset.store);
  object.Set("offset", static_cast<double>(offset.offset));
  object.Set("writtenAtMs", static_cast<double>(offset.written_at_ms));
  object.Set("topicId", offset.topic_id);
  return object;
}

Napi::Object InspectionObject(Napi::Env env, const StoreInspection& store) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", store.name);
  object.Set("keys", static_cast<double>(store.keys));
  object.Set("bytes", static_cast<double>(store.bytes));
  object.Set("files", static_cast<double>(store.files));
  object.Set("firstKey", KeyOrNull(env, store.first_key));
  object.Set("lastKey", KeyOrNull(env, store.last_key));
  object.Set("offset", store.offset.has_value() ? Napi::Value(OffsetObject(env, *store.offset))
                                                : Napi::Value(env.Null()));
  Napi::Value segmented = env.Null();
  if (store.observed.has_value()) {
    Napi::Object segments = Napi::Object::New(env);
    segments.Set("streamTimeMs", static_cast<double>(store.observed->stream_time_ms));
    segments.Set("intervalMs", static_cast<double>(store.segment_interval_ms));
    segments.Set("segments", SegmentsArray(env, store.segments));
    segmented = segments;
  }
  object.Set("segmented", segmented);
  return object;
}

}  // namespace

TaskDatabaseObject::TaskDatabaseObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<TaskDatabaseObject>(info), Environment::Object(Environment::Of(info.Env())) {}

void TaskDatabaseObject::CloseForTeardown() {
  if (database_ != nullptr) database_->BeginClose();
  database_.reset();
}

const std::shared_ptr<TaskDatabase>& TaskDatabaseObject::database(Napi::Env env) const {
  if (database_ == nullptr) throw Error(env, Status::Closed("The state database"));
  return database_;
}

Napi::Value TaskDatabaseObject::Open(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.open");
  const Napi::Object memory = arguments.Object(0, "memory");
  const std::shared_ptr<StateMemory> core = StateMemoryObject::Unwrap(memory)->memory(info.Env());
  return Environment::Of(info.Env())
      ->async()
      .Run<std::shared_ptr<TaskDatabase>>(
          {memory}, [core, options = ReadOptions(arguments)] { return TaskDatabase::Open(core, options); },
          [](Napi::Env env, std::shared_ptr<TaskDatabase>& database) -> napi_value {
            Napi::Object object = Environment::Of(env)->Construct("TaskDatabase", {});
            TaskDatabaseObject::Unwrap(object)->database_ = std::move(database);
            return object;
          });
}

Napi::Value TaskDatabaseObject::Attach(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.attach");
  std::shared_ptr<TaskDatabase> reader =
      weir::Unwrap(info.Env(), TaskDatabase::Attach(arguments.Integer(0, "id", 0)));
  Napi::Object object = Environment::Of(info.Env())->Construct("TaskDatabase", {});
  TaskDatabaseObject::Unwrap(object)->database_ = std::move(reader);
  return object;
}

Napi::Value TaskDatabaseObject::Share(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(database(info.Env())->Share()));
}

Napi::Value TaskDatabaseObject::Get(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.get");
  const Bytes arena = arguments.Buffer(1, "arena");
  const Bytes out = arguments.Buffer(4, "out");
  const std::string_view key = KeyArgument(arguments, View(arena));
  const int64_t row = weir::Unwrap(
      info.Env(), database(info.Env())
                      ->Get(arguments.Size(0, "store"), key, reinterpret_cast<char*>(out.data), out.length));
  return Napi::Number::New(info.Env(), static_cast<double>(row));
}

Napi::Value TaskDatabaseObject::MultiGetRows(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.multiGet");
  const Bytes arena = arguments.Buffer(1, "arena");
  const size_t capacity = arguments.Size(3, "capacity");
  int32_t* const columns = arguments.Columns(2, "columns", 4, capacity);
  const size_t count = static_cast<size_t>(arguments.Integer(4, "count", 0, static_cast<int64_t>(capacity)));
  const std::shared_ptr<MultiGet> multi_get = weir::Unwrap(
      info.Env(),
      database(info.Env())
          ->NewMultiGet(arguments.Size(0, "store"), View(arena), RowColumns(columns, capacity), count));
  if (!multi_get->needs_run()) {
    const Napi::Promise::Deferred known = Napi::Promise::Deferred::New(info.Env());
    known.Resolve(RowsBuffer(info.Env(), *multi_get));
    return known.Promise();
  }
  return environment().async().Run<std::shared_ptr<MultiGet>>(
      {info[1], info[2], info.This()},
      [multi_get]() -> Result<std::shared_ptr<MultiGet>> {
        Status status = multi_get->Run();
        if (!status.ok()) return status;
        return multi_get;
      },
      [](Napi::Env env, std::shared_ptr<MultiGet>& done) { return RowsBuffer(env, *done); });
}

Napi::Value TaskDatabaseObject::Apply(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.apply");
  const Bytes arena = arguments.Buffer(1, "arena");
  const size_t capacity = arguments.Size(4, "capacity");
  int32_t* const columns = arguments.Columns(2, "columns", 4, capacity);
  const Span<double> timestamps = arguments.Float64Array(3, "timestamps");
  const size_t count = static_cast<size_t>(arguments.Integer(5, "count", 0, static_cast<int64_t>(capacity)));
  if (timestamps.length < count) arguments.Fail(3, "timestamps", "as long as count");
  const int64_t bytes =
      weir::Unwrap(info.Env(), database(info.Env())
                                   ->Apply(arguments.Size(0, "store"), View(arena),
                                           RowColumns(columns, capacity), timestamps.data, count));
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

void TaskDatabaseObject::PutVersion(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.putVersion");
  const Bytes arena = arguments.Buffer(1, "arena");
  const std::string_view key = KeyArgument(arguments, View(arena));
  const int64_t value_length = arguments.Integer(5, "valueLength", -1, std::numeric_limits<int32_t>::max());
  std::string_view value;
  if (value_length >= 0 && !SliceOf(View(arena), static_cast<int32_t>(arguments.Size(4, "valueStart")),
                                    static_cast<int32_t>(value_length), &value))
    arguments.Fail(4, "valueStart", "within the arena");
  const int64_t timestamp =
      arguments.Integer(6, "timestamp", 0, static_cast<int64_t>(Arguments::kSafeIntegerMax));
  double* const result = VersionTimes(arguments, 7);
  const Version version{timestamp, value_length < 0 ? std::nullopt : std::optional(value)};
  const PutOutcome outcome =
      weir::Unwrap(info.Env(), database(info.Env())->PutVersion(arguments.Size(0, "store"), key, version));
  result[0] = static_cast<double>(outcome.valid_to_ms);
  result[1] = static_cast<double>(outcome.uncommitted_bytes);
}

Napi::Value TaskDatabaseObject::GetVersion(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.getVersion");
  const Bytes arena = arguments.Buffer(1, "arena");
  const std::string_view key = KeyArgument(arguments, View(arena));
  std::optional<int64_t> time_ms;
  if (!info[4].IsNull())
    time_ms = arguments.Integer(4, "time", static_cast<int64_t>(-Arguments::kSafeIntegerMax),
                                static_cast<int64_t>(Arguments::kSafeIntegerMax));
  const Bytes out = arguments.Buffer(5, "out");
  double* const result = VersionTimes(arguments, 6);
  const std::optional<FoundVersion> found =
      weir::Unwrap(info.Env(), database(info.Env())->GetVersion(arguments.Size(0, "store"), key, time_ms));
  if (!found.has_value()) return Napi::Number::New(info.Env(), -1);
  const std::string_view value = found->value;
  if (!value.empty() && value.size() <= out.length) std::memcpy(out.data, value.data(), value.size());
  result[0] = static_cast<double>(found->from_ms);
  result[1] = static_cast<double>(found->to_ms);
  return Napi::Number::New(info.Env(), static_cast<double>(value.size()));
}

Napi::Value TaskDatabaseObject::Scan(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.scan");
  return ScanObject::Open(arguments, database(info.Env()), arguments.Size(0, "store"));
}

Napi::Value TaskDatabaseObject::Drain(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.drain");
  const Napi::Object producer = arguments.Object(0, "producer");
  std::shared_ptr<ChangelogSink> sink = LocalProducerObject::CoreOf(producer);
  if (sink == nullptr) sink = ProducerObject::Unwrap(producer)->producer(info.Env());
  const std::shared_ptr<TaskDatabase> core = database(info.Env());
  ThrowIfFailed(info.Env(), core->BeginDrain());
  return environment().async().Run<DrainTotals>(
      {info.This(), producer}, [core, sink] { return core->Drain(sink); },
      [](Napi::Env env, DrainTotals& totals) -> napi_value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("records", static_cast<double>(totals.records));
        result.Set("bytes", static_cast<double>(totals.bytes));
        return result;
      });
}

Napi::Value TaskDatabaseObject::Commit(const Napi::CallbackInfo& info) {
  const std::shared_ptr<TaskDatabase> core = database(info.Env());
  ThrowIfFailed(info.Env(), core->BeginCommit());
  return environment().async().Run({info.This()}, [core] { return core->Commit(); });
}

void TaskDatabaseObject::Discard(const Napi::CallbackInfo& info) {
  ThrowIfFailed(info.Env(), database(info.Env())->Discard());
}

Napi::Value TaskDatabaseObject::Empty(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.empty");
  const std::shared_ptr<TaskDatabase> core = database(info.Env());
  const size_t store = arguments.Size(0, "store");
  ThrowIfFailed(info.Env(), core->BeginEmpty(store));
  return environment().async().Run({info.This()}, [core, store] { return core->Empty(store); });
}

Napi::Value TaskDatabaseObject::Flush(const Napi::CallbackInfo& info) {
  const std::shared_ptr<TaskDatabase> core = database(info.Env());
  return environment().async().Run({info.This()}, [core] { return core->Flush(); });
}

Napi::Value TaskDatabaseObject::Offsets(const Napi::CallbackInfo& info) {
  const std::vector<StoreOffset> offsets = database(info.Env())->Offsets();
  Napi::Array result = Napi::Array::New(info.Env(), offsets.size());
  for (uint32_t i = 0; i < offsets.size(); i++) {
    result.Set(i, OffsetObject(info.Env(), offsets[i]));
  }
  return result;
}

Napi::Value TaskDatabaseObject::ChangelogEnds(const Napi::CallbackInfo& info) {
  return NumbersOf(info.Env(), database(info.Env())->ChangelogEnds());
}

Napi::Value TaskDatabaseObject::CommittedOffsets(const Napi::CallbackInfo& info) {
  return NumbersOf(info.Env(), database(info.Env())->CommittedOffsets());
}

void TaskDatabaseObject::SetTopicIds(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.setTopicIds");
  const Napi::Array ids = arguments.Array(0, "ids");
  for (uint32_t i = 0; i < ids.Length(); i++) {
    const std::string where = "TaskDatabase.setTopicIds: ids[" + std::to_string(i) + "]";
    Properties id(ObjectAt(ids, i, where), where);
    const std::string store = id.String("store");
    ThrowIfFailed(info.Env(), database(info.Env())->SetTopicId(store, id.String("topicId")));
    id.RejectUnknown();
  }
}

void TaskDatabaseObject::SetSourceOffsets(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.setSourceOffsets");
  const std::shared_ptr<TaskDatabase> core = database(info.Env());
  const Napi::Array offsets = arguments.Array(0, "offsets");
  for (uint32_t i = 0; i < offsets.Length(); i++) {
    const std::string where = "TaskDatabase.setSourceOffsets: offsets[" + std::to_string(i) + "]";
    Properties offset(ObjectAt(offsets, i, where), where);
    const int64_t last = static_cast<int64_t>(core->options().stores.size()) - 1;
    const auto store = static_cast<size_t>(offset.Integer("store", 0, last));
    core->SetSourceOffset(store, offset.Integer("offset", 0));
    offset.RejectUnknown();
  }
}

Napi::Value TaskDatabaseObject::ObservedBy(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.observed");
  const Observed observed =
      weir::Unwrap(info.Env(), database(info.Env())->ObservedBy(arguments.Size(0, "store")));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("streamTimeMs", static_cast<double>(observed.stream_time_ms));
  result.Set("sequence", observed.sequence);
  return result;
}

Napi::Value TaskDatabaseObject::PropertyValues(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.properties");
  const std::vector<std::string> names = arguments.Strings(0, "names");
  Napi::Array values = Napi::Array::New(info.Env(), names.size());
  for (uint32_t i = 0; i < names.size(); i++) {
    values.Set(i, static_cast<double>(weir::Unwrap(info.Env(), database(info.Env())->Property(names[i]))));
  }
  return values;
}

Napi::Value TaskDatabaseObject::StorePropertyValues(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.storeProperties");
  const std::shared_ptr<TaskDatabase>& core = database(info.Env());
  const std::vector<std::string> names = arguments.Strings(0, "names");
  const size_t stores = core->options().stores.size();
  Napi::Float64Array values = Napi::Float64Array::New(info.Env(), stores * names.size());
  for (size_t store = 0; store < stores; store++) {
    for (size_t i = 0; i < names.size(); i++) {
      values[store * names.size() + i] =
          static_cast<double>(weir::Unwrap(info.Env(), core->StoreProperty(store, names[i])));
    }
  }
  return values;
}

Napi::Value TaskDatabaseObject::ApproximateEntries(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.approximateEntries");
  const uint64_t entries =
      weir::Unwrap(info.Env(), database(info.Env())->ApproximateEntries(arguments.Size(0, "store")));
  return Napi::Number::New(info.Env(), static_cast<double>(entries));
}

Napi::Value TaskDatabaseObject::Close(const Napi::CallbackInfo& info) {
  const std::shared_ptr<TaskDatabase> core = std::exchange(database_, nullptr);
  if (core != nullptr) core->BeginClose();
  return environment().async().Run({info.This()},
                                   [core] { return core == nullptr ? Status::Ok() : core->Close(); });
}

Napi::Value TaskDatabaseObject::RocksdbSettingsKnown(const Napi::CallbackInfo& info) {
  static const char* const scopes[] = {"database", "family", "table"};
  const std::vector<RocksdbSetting>& known = KnownRocksdbSettings();
  Napi::Array result = Napi::Array::New(info.Env(), known.size());
  for (uint32_t i = 0; i < known.size(); i++) {
    Napi::Object setting = Napi::Object::New(info.Env());
    setting.Set("name", known[i].name);
    setting.Set("scope", scopes[static_cast<int>(known[i].scope)]);
    setting.Set("rocksdbDefault", known[i].rocksdb_default);
    result.Set(i, setting);
  }
  return result;
}

Napi::Value TaskDatabaseObject::Inspect(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.inspect");
  return Environment::Of(info.Env())
      ->async()
      .Run<std::vector<StoreInspection>>(
          {},
          [path = arguments.String(0, "path"), count = arguments.Boolean(1, "count")] {
            return InspectDatabase(path, count);
          },
          [](Napi::Env env, std::vector<StoreInspection>& stores) -> napi_value {
            Napi::Array result = Napi::Array::New(env, stores.size());
            for (uint32_t i = 0; i < stores.size(); i++) result.Set(i, InspectionObject(env, stores[i]));
            return result;
          });
}

void TaskDatabaseObject::CheckRocksdb(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "TaskDatabase.checkRocksdb");
  ThrowIfFailed(info.Env(), CheckRocksdbSetting(arguments.String(0, "name"), arguments.String(1, "value")));
}

void RegisterTaskDatabase(Napi::Env env, Napi::Object exports) {
  using Wrapped = TaskDatabaseObject;
  const Napi::Function constructor =
      Wrapped::DefineClass(env, "TaskDatabase",
                           {Wrapped::InstanceMethod<&Wrapped::Get>("get"),
                            Wrapped::InstanceMethod<&Wrapped::MultiGetRows>("multiGet"),
                            Wrapped::InstanceMethod<&Wrapped::Apply>("apply"),
                            Wrapped::InstanceMethod<&Wrapped::PutVersion>("putVersion"),
                            Wrapped::InstanceMethod<&Wrapped::GetVersion>("getVersion"),
                            Wrapped::InstanceMethod<&Wrapped::Scan>("scan"),
                            Wrapped::InstanceMethod<&Wrapped::Drain>("drain"),
                            Wrapped::InstanceMethod<&Wrapped::Commit>("commit"),
                            Wrapped::InstanceMethod<&Wrapped::Discard>("discard"),
                            Wrapped::InstanceMethod<&Wrapped::Empty>("empty"),
                            Wrapped::InstanceMethod<&Wrapped::Flush>("flush"),
                            Wrapped::InstanceMethod<&Wrapped::Offsets>("offsets"),
                            Wrapped::InstanceMethod<&Wrapped::ChangelogEnds>("changelogEnds"),
                            Wrapped::InstanceMethod<&Wrapped::CommittedOffsets>("committedOffsets"),
                            Wrapped::InstanceMethod<&Wrapped::SetTopicIds>("setTopicIds"),
                            Wrapped::InstanceMethod<&Wrapped::SetSourceOffsets>("setSourceOffsets"),
                            Wrapped::InstanceMethod<&Wrapped::ObservedBy>("observed"),
                            Wrapped::InstanceMethod<&Wrapped::PropertyValues>("properties"),
                            Wrapped::InstanceMethod<&Wrapped::StorePropertyValues>("storeProperties"),
                            Wrapped::InstanceMethod<&Wrapped::ApproximateEntries>("approximateEntries"),
                            Wrapped::InstanceMethod<&Wrapped::Share>("share"),
                            Wrapped::InstanceMethod<&Wrapped::Close>("close")});
  Environment::Of(env)->AddClass("TaskDatabase", constructor);
  RegisterScan(env);
  Napi::Object name = Napi::Object::New(env);
  name.Set("open", Napi::Function::New<TaskDatabaseObject::Open>(env, "open"));
  name.Set("attach", Napi::Function::New<TaskDatabaseObject::Attach>(env, "attach"));
  name.Set("rocksdbSettings",
           Napi::Function::New<TaskDatabaseObject::RocksdbSettingsKnown>(env, "rocksdbSettings"));
  name.Set("inspect", Napi::Function::New<TaskDatabaseObject::Inspect>(env, "inspect"));
  name.Set("checkRocksdb", Napi::Function::New<TaskDatabaseObject::CheckRocksdb>(env, "checkRocksdb"));
  exports.Set("TaskDatabase", name);
}

}  // namespace weir
