#include "binding/mock_cluster.h"

#include <limits>

#include "binding/arguments.h"
#include "binding/errors.h"

namespace weir {

MockClusterObject::MockClusterObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<MockClusterObject>(info), Environment::Object(Environment::Of(info.Env())) {
  const Arguments arguments(info, "new MockCluster");
  Properties options(arguments.Object(0, "options"), "new MockCluster: options");
  const int brokers = static_cast<int>(options.Integer("brokers", 1, MockCluster::kBrokersMax));
  options.RejectUnknown();
  cluster_ = weir::Unwrap(info.Env(), MockCluster::Start(brokers));
}

MockCluster& MockClusterObject::cluster(Napi::Env env) const {
  if (cluster_ == nullptr) throw Error(env, Status::Closed("The mock cluster"));
  return *cluster_;
}

Napi::Value MockClusterObject::BootstrapServers(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), cluster(info.Env()).BootstrapServers());
}

void MockClusterObject::CreateTopic(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "MockCluster.createTopic");
  ThrowIfFailed(info.Env(), cluster(info.Env())
                                .CreateTopic(arguments.String(0, "name"), static_cast<int>(arguments.Integer(
                                                                              1, "partitions", 1, 1 << 20))));
}

void MockClusterObject::InjectErrors(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "MockCluster.injectErrors");
  const auto api_key =
      static_cast<int16_t>(arguments.Integer(0, "apiKey", 0, std::numeric_limits<int16_t>::max()));
  ThrowIfFailed(info.Env(), cluster(info.Env()).InjectErrors(api_key, arguments.Strings(1, "errors")));
}

void MockClusterObject::Close(const Napi::CallbackInfo&) { cluster_.reset(); }

void RegisterMockCluster(Napi::Env env, Napi::Object exports) {
  using Wrapped = MockClusterObject;
  exports.Set("MockCluster",
              Wrapped::DefineClass(env, "MockCluster",
                                   {Wrapped::InstanceAccessor<&Wrapped::BootstrapServers>("bootstrapServers"),
                                    Wrapped::InstanceMethod<&Wrapped::CreateTopic>("createTopic"),
                                    Wrapped::InstanceMethod<&Wrapped::InjectErrors>("injectErrors"),
                                    Wrapped::InstanceMethod<&Wrapped::Close>("close")}));
}

}  // namespace weir
