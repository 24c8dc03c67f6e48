#include <librdkafka/rdkafka.h>
#include <rocksdb/version.h>

#include <string>

#include "binding/admin.h"
#include "binding/arguments.h"
#include "binding/consumer.h"
#include "binding/environment.h"
#include "binding/errors.h"
#include "binding/exit_guard.h"
#include "binding/kafka_log.h"
#include "binding/local_producer.h"
#include "binding/mock_cluster.h"
#include "binding/napi_setup.h"
#include "binding/producer.h"
#include "binding/restorer.h"
#include "binding/state_memory.h"
#include "binding/task_database.h"
#include "common/murmur2.h"
#include "state/io_uring.h"

namespace weir {

namespace {

Napi::Value Versions(const Napi::CallbackInfo& info) {
  // Another librdkafka in the process could be bound to instead of the one that is linked in; its structures
  // would not fit.
  if (rd_kafka_version() != RD_KAFKA_VERSION) {
    throw Error(info.Env(),
                Status::Invalid(std::string("weir.node runs with librdkafka ") + rd_kafka_version_str() +
                                ", but was built for another version; run scripts/setup.sh"));
  }
  Napi::Object versions = Napi::Object::New(info.Env());
  versions.Set("librdkafka", rd_kafka_version_str());
  versions.Set("rocksdb", rocksdb::GetRocksVersionAsString());
  return versions;
}

Napi::Value IoUringProblemText(const Napi::CallbackInfo& info) {
  const std::string problem = IoUringProblem();
  return problem.empty() ? info.Env().Null() : Napi::String::New(info.Env(), problem);
}

Napi::Value Murmur2OfSlice(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "murmur2");
  const Bytes bytes = arguments.Buffer(0, "bytes");
  const int64_t length = static_cast<int64_t>(bytes.length);
  const int64_t start = arguments.Integer(1, "start", 0, length);
  const int64_t end = arguments.Integer(2, "end", start, length);
  return Napi::Number::New(info.Env(), Murmur2(bytes.data + start, static_cast<size_t>(end - start)));
}

Napi::Value Objects(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Environment::Object::Count());
}

// What src/native/addon.ts and the files beside it declare.
Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Environment::Create(env);
  exports.Set("versions", Napi::Function::New<Versions>(env, "versions"));
  exports.Set("ioUringProblem", Napi::Function::New<IoUringProblemText>(env, "ioUringProblem"));
  exports.Set("objects", Napi::Function::New<Objects>(env, "objects"));
  RegisterStateMemory(env, exports);
  RegisterTaskDatabase(env, exports);
  RegisterConsumer(env, exports);
  RegisterProducer(env, exports);
  RegisterAdmin(env, exports);
  RegisterRestorer(env, exports);
  RegisterKafkaLog(env, exports);
  RegisterMockCluster(env, exports);
  RegisterLocalProducer(env, exports);
  RegisterExitGuard(env, exports);
  exports.Set("murmur2", Napi::Function::New<Murmur2OfSlice>(env, "murmur2"));
  return exports;
}

}  // namespace

}  // namespace weir

// The macro defines a function outside of any namespace.
static Napi::Object InitWeir(Napi::Env env, Napi::Object exports) { return weir::Init(env, exports); }
NODE_API_MODULE(weir, InitWeir)
