#include "binding/admin.h"

#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/topic_partitions.h"

namespace weir {

namespace {

napi_value FailuresValue(Napi::Env env, const std::vector<TopicFailure>& failures) {
  Napi::Array result = Napi::Array::New(env, failures.size());
  for (uint32_t i = 0; i < failures.size(); i++) {
    Napi::Object failure = Napi::Object::New(env);
    failure.Set("name", failures[i].name);
    failure.Set("error", ErrorValue(env, failures[i].error));
    result.Set(i, failure);
  }
  return result;
}

OffsetAt ReadOffsetAt(const Arguments& arguments, const Napi::Value& value) {
  if (value.IsNumber()) return OffsetSince(arguments.Integer(1, "at", 0));
  const std::string at = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (at != "earliest" && at != "latest") arguments.Fail(1, "at", "'earliest', 'latest' or a time in ms");
  return at == "earliest" ? OffsetAt::kEarliest : OffsetAt::kLatest;
}

}  // namespace

AdminObject::AdminObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<AdminObject>(info), Environment::Object(Environment::Of(info.Env())) {
  const Arguments arguments(info, "new Admin");
  admin_ =
      weir::Unwrap(info.Env(), Admin::Create(arguments.StringMap(0, "config"), environment().cancellation()));
}

void AdminObject::CloseForTeardown() {
  if (admin_ != nullptr) admin_->Close();
  admin_.reset();
}

const std::shared_ptr<Admin>& AdminObject::admin(Napi::Env env) const {
  if (admin_ == nullptr) throw Error(env, Status::Closed("The admin client"));
  return admin_;
}

Napi::Value AdminObject::DescribeTopics(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.describeTopics");
  return environment().async().Run<std::vector<TopicDescription>>(
      {},
      [core = admin(info.Env()), names = arguments.Strings(0, "names"),
       timeout_ms = ReadTimeout(arguments, 1)] { return core->DescribeTopics(names, timeout_ms); },
      [](Napi::Env env, std::vector<TopicDescription>& topics) -> napi_value {
        Napi::Array result = Napi::Array::New(env, topics.size());
        for (uint32_t i = 0; i < topics.size(); i++) {
          Napi::Object topic = Napi::Object::New(env);
          topic.Set("name", topics[i].name);
          topic.Set("id", topics[i].id);
          topic.Set("partitions", topics[i].partitions);
          topic.Set("replicationFactor", topics[i].replication_factor);
          result.Set(i, topic);
        }
        return result;
      });
}

Napi::Value AdminObject::TopicConfigs(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.topicConfigs");
  using Configs = std::map<std::string, std::string>;
  return environment().async().Run<Configs>(
      {},
      [core = admin(info.Env()), name = arguments.String(0, "name"), timeout_ms = ReadTimeout(arguments, 1)] {
        return core->TopicConfigs(name, timeout_ms);
      },
      [](Napi::Env env, Configs& configs) -> napi_value {
        Napi::Object result = Napi::Object::New(env);
        for (const auto& [name, value] : configs) result.Set(name, value);
        return result;
      });
}

Napi::Value AdminObject::CreateTopics(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.createTopics");
  const Napi::Array array = arguments.Array(0, "topics");
  std::vector<NewTopicRequest> requests;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const std::string where = "Admin.createTopics: topics[" + std::to_string(i) + "]";
    Properties topic(ObjectAt(array, i, where), where);
    NewTopicRequest request{
        topic.String("name"),
        static_cast<int32_t>(topic.Integer("partitions", 1, std::numeric_limits<int32_t>::max())),
        static_cast<int32_t>(topic.Integer("replicationFactor", -1, std::numeric_limits<int16_t>::max())),
        topic.OptionalStringMap("config")};
    topic.RejectUnknown();
    requests.push_back(std::move(request));
  }
  return environment().async().Run<std::vector<TopicFailure>>(
      {},
      [core = admin(info.Env()), requests = std::move(requests), timeout_ms = ReadTimeout(arguments, 1)] {
        return core->CreateTopics(requests, timeout_ms);
      },
      [](Napi::Env env, std::vector<TopicFailure>& failures) { return FailuresValue(env, failures); });
}

Napi::Value AdminObject::DeleteTopics(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.deleteTopics");
  return environment().async().Run<std::vector<TopicFailure>>(
      {},
      [core = admin(info.Env()), names = arguments.Strings(0, "names"),
       timeout_ms = ReadTimeout(arguments, 1)] { return core->DeleteTopics(names, timeout_ms); },
      [](Napi::Env env, std::vector<TopicFailure>& failures) { return FailuresValue(env, failures); });
}

Napi::Value AdminObject::DeleteRecords(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.deleteRecords");
  return environment().async().Run(
      {}, [core = admin(info.Env()), before = ReadOffsets(arguments, 0, "before"),
           timeout_ms = ReadTimeout(arguments, 1)] { return core->DeleteRecords(before, timeout_ms); });
}

Napi::Value AdminObject::ListOffsets(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.listOffsets");
  const OffsetAt at = ReadOffsetAt(arguments, info[1]);
  const std::string isolation = arguments.String(2, "isolation");
  if (isolation != "read_committed" && isolation != "read_uncommitted") {
    arguments.Fail(2, "isolation", "'read_committed' or 'read_uncommitted'");
  }
  return environment().async().Run<std::vector<TopicPartitionOffset>>(
      {},
      [core = admin(info.Env()), partitions = ReadPartitions(arguments, 0, "partitions"), at,
       level = isolation == "read_committed" ? RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED
                                             : RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED,
       timeout_ms = ReadTimeout(arguments, 3)] {
        return core->ListOffsets(partitions, at, level, timeout_ms);
      },
      [](Napi::Env env, std::vector<TopicPartitionOffset>& offsets) -> napi_value {
        return OffsetsValue(env, offsets);
      });
}

Napi::Value AdminObject::GroupOffsets(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.groupOffsets");
  return environment().async().Run<std::vector<TopicPartitionOffset>>(
      {},
      [core = admin(info.Env()), group = arguments.String(0, "group"),
       timeout_ms = ReadTimeout(arguments, 1)] { return core->GroupOffsets(group, timeout_ms); },
      [](Napi::Env env, std::vector<TopicPartitionOffset>& offsets) -> napi_value {
        return OffsetsValue(env, offsets);
      });
}

Napi::Value AdminObject::DescribeGroup(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.describeGroup");
  return environment().async().Run<GroupDescription>(
      {},
      [core = admin(info.Env()), group = arguments.String(0, "group"),
       timeout_ms = ReadTimeout(arguments, 1)] { return core->DescribeGroup(group, timeout_ms); },
      [](Napi::Env env, GroupDescription& description) -> napi_value {
        Napi::Array members = Napi::Array::New(env, description.members.size());
        for (uint32_t i = 0; i < description.members.size(); i++) {
          const GroupMemberDescription& from = description.members[i];
          Napi::Object member = Napi::Object::New(env);
          member.Set("memberId", from.member_id);
          member.Set("instanceId",
                     from.instance_id.empty() ? env.Null() : Napi::String::New(env, from.instance_id));
          member.Set("clientId", from.client_id);
          member.Set("host", from.host);
          member.Set("assignment", PartitionsValue(env, from.assignment));
          members.Set(i, member);
        }
        Napi::Object result = Napi::Object::New(env);
        result.Set("state", description.state);
        result.Set("members", members);
        return result;
      });
}

Napi::Value AdminObject::AlterGroupOffsets(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.alterGroupOffsets");
  return environment().async().Run(
      {}, [core = admin(info.Env()), group = arguments.String(0, "group"),
           offsets = ReadOffsets(arguments, 1, "offsets"), timeout_ms = ReadTimeout(arguments, 2)] {
        return core->AlterGroupOffsets(group, offsets, timeout_ms);
      });
}

Napi::Value AdminObject::DeleteGroupOffsets(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.deleteGroupOffsets");
  return environment().async().Run(
      {}, [core = admin(info.Env()), group = arguments.String(0, "group"),
           partitions = ReadPartitions(arguments, 1, "partitions"), timeout_ms = ReadTimeout(arguments, 2)] {
        return core->DeleteGroupOffsets(group, partitions, timeout_ms);
      });
}

Napi::Value AdminObject::ListTopics(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Admin.listTopics");
  return environment().async().Run<std::vector<TopicPartitions>>(
      {},
      [core = admin(info.Env()), timeout_ms = ReadTimeout(arguments, 0)] {
        return core->ListTopics(timeout_ms);
      },
      [](Napi::Env env, std::vector<TopicPartitions>& topics) -> napi_value {
        Napi::Array result = Napi::Array::New(env, topics.size());
        for (uint32_t i = 0; i < topics.size(); i++) {
          Napi::Object topic = Napi::Object::New(env);
          topic.Set("name", topics[i].name);
          topic.Set("partitions", topics[i].partitions);
          result.Set(i, topic);
        }
        return result;
      });
}

Napi::Value AdminObject::Close(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Admin> core = std::exchange(admin_, nullptr);
  return environment().async().Run({}, [core] {
    if (core != nullptr) core->Close();
    return Status::Ok();
  });
}

void RegisterAdmin(Napi::Env env, Napi::Object exports) {
  using Wrapped = AdminObject;
  exports.Set("Admin", Wrapped::DefineClass(
                           env, "Admin",
                           {Wrapped::InstanceMethod<&Wrapped::DescribeTopics>("describeTopics"),
                            Wrapped::InstanceMethod<&Wrapped::TopicConfigs>("topicConfigs"),
                            Wrapped::InstanceMethod<&Wrapped::CreateTopics>("createTopics"),
                            Wrapped::InstanceMethod<&Wrapped::DeleteTopics>("deleteTopics"),
                            Wrapped::InstanceMethod<&Wrapped::DeleteRecords>("deleteRecords"),
                            Wrapped::InstanceMethod<&Wrapped::ListOffsets>("listOffsets"),
                            Wrapped::InstanceMethod<&Wrapped::GroupOffsets>("groupOffsets"),
                            Wrapped::InstanceMethod<&Wrapped::DescribeGroup>("describeGroup"),
                            Wrapped::InstanceMethod<&Wrapped::AlterGroupOffsets>("alterGroupOffsets"),
                            Wrapped::InstanceMethod<&Wrapped::DeleteGroupOffsets>("deleteGroupOffsets"),
                            Wrapped::InstanceMethod<&Wrapped::ListTopics>("listTopics"),
                            Wrapped::InstanceMethod<&Wrapped::Close>("close")}));
}

}  // namespace weir
