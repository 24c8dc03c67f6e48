#include "binding/restorer.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/task_database.h"

namespace weir {

namespace {

constexpr int64_t kThreadsMax = 256;

std::vector<RestoreRequest> ReadRequests(const Arguments& arguments, TaskDatabase& database) {
  const Napi::Array stores = arguments.Array(1, "stores");
  std::vector<RestoreRequest> requests;
  for (uint32_t i = 0; i < stores.Length(); i++) {
    const std::string where = "Restorer.restore: stores[" + std::to_string(i) + "]";
    Properties store(ObjectAt(stores, i, where), where);
    const auto index = static_cast<size_t>(
        store.Integer("store", 0, static_cast<int64_t>(database.options().stores.size()) - 1));
    requests.push_back(
        {index, store.String("topic"),
         static_cast<int32_t>(store.Integer("partition", 0, std::numeric_limits<int32_t>::max())),
         store.Integer("from", -1), store.OptionalBoolean("stale"),
         store.OptionalInteger("until", 0, std::numeric_limits<int64_t>::max()).value_or(-1),
         store.OptionalBoolean("takesOver")});
    ThrowIfFailed(arguments.Env(),
                  database.SetTopicId(database.options().stores[index].name, store.String("topicId")));
    store.RejectUnknown();
  }
  if (requests.empty()) arguments.Fail(1, "stores", "not empty");
  return requests;
}

}  // namespace

RestorerObject::RestorerObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<RestorerObject>(info), Environment::Object(Environment::Of(info.Env())) {}

Napi::Value RestorerObject::Acquire(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Restorer.acquire");
  std::shared_ptr<Restorer> restorer = weir::Unwrap(
      info.Env(), Restorer::Acquire(arguments.StringMap(0, "config"),
                                    static_cast<int>(arguments.Integer(1, "threads", 1, kThreadsMax)),
                                    static_cast<size_t>(arguments.Integer(2, "memoryBytes", 1))));
  Napi::Object object = Environment::Of(info.Env())->Construct("Restorer", {});
  RestorerObject::Unwrap(object)->restorer_ = std::move(restorer);
  return object;
}

Napi::Value RestorerObject::Restore(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Restorer.restore");
  if (restorer_ == nullptr) throw Error(info.Env(), Status::Closed("The restorer"));
  const Napi::Object object = arguments.Object(0, "database");
  const std::shared_ptr<TaskDatabase> database = TaskDatabaseObject::Unwrap(object)->database(info.Env());
  std::vector<RestoreRequest> requests = ReadRequests(arguments, *database);
  // The job's object is kept until its end too: collected earlier, it could not make the environment's end wait for the job.
  const Napi::Object job = Environment::Of(info.Env())->Construct("RestoreJob", {});
  auto [completion, promise] = environment().async().Create({object, info.This(), job});
  RestoreJobObject::Unwrap(job)->Begin(
      restorer_, restorer_->Start(database, std::move(requests), [completion = completion](Status status) {
        completion(std::move(status));
      }));
  job.Set("done", promise);
  return job;
}

void RestorerObject::Close(const Napi::CallbackInfo&) { restorer_.reset(); }

RestoreJobObject::RestoreJobObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<RestoreJobObject>(info), Environment::Object(Environment::Of(info.Env())) {}

void RestoreJobObject::CloseForTeardown() {
  if (job_ != nullptr) {
    restorer_->Stop(*job_);
    job_->Wait();
  }
  job_.reset();
  restorer_.reset();
}

void RestoreJobObject::Begin(std::shared_ptr<Restorer> restorer, std::shared_ptr<RestoreJob> job) {
  restorer_ = std::move(restorer);
  job_ = std::move(job);
}

Napi::Value RestoreJobObject::Progress(const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  if (job_ == nullptr) return result;
  uint32_t index = 0;
  for (const RestoreProgress& progress : job_->Progress()) {
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("store", static_cast<double>(progress.store));
    object.Set("restoredRecords", static_cast<double>(progress.restored_records));
    object.Set("begin", static_cast<double>(progress.begin));
    object.Set("position", static_cast<double>(progress.position));
    object.Set("end", static_cast<double>(progress.end));
    result.Set(index++, object);
  }
  return result;
}

void RestoreJobObject::Stop(const Napi::CallbackInfo&) {
  if (job_ != nullptr) restorer_->Stop(*job_);
}

void RegisterRestorer(Napi::Env env, Napi::Object exports) {
  Environment& environment = *Environment::Of(env);
  environment.AddClass("Restorer", RestorerObject::DefineClass(
                                       env, "Restorer",
                                       {RestorerObject::InstanceMethod<&RestorerObject::Restore>("restore"),
                                        RestorerObject::InstanceMethod<&RestorerObject::Close>("close")}));
  environment.AddClass("RestoreJob",
                       RestoreJobObject::DefineClass(
                           env, "RestoreJob",
                           {RestoreJobObject::InstanceMethod<&RestoreJobObject::Progress>("progress"),
                            RestoreJobObject::InstanceMethod<&RestoreJobObject::Stop>("stop")}));
  Napi::Object name = Napi::Object::New(env);
  name.Set("acquire", Napi::Function::New<RestorerObject::Acquire>(env, "acquire"));
  exports.Set("Restorer", name);
}

}  // namespace weir
