#include "common/kafka_config.h"

#include <cstdlib>
#include <utility>

#include "common/kafka_log.h"

namespace weir {

namespace {

constexpr size_t kErrorTextMax = 512;

bool IsSecret(const std::string& name) {
  for (const char* part : {"password", "secret", ".pem", "jaas", "sasl.oauthbearer.config"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

Status SetOne(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char error[kErrorTextMax];
  switch (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof(error))) {
    case RD_KAFKA_CONF_OK:
      return Status::Ok();
    case RD_KAFKA_CONF_UNKNOWN:
      return Status::Invalid("Kafka client setting " + name + " is unknown to librdkafka");
    default:
      return Status::Invalid("Kafka client setting " + name + (IsSecret(name) ? "" : "=" + value) +
                             " is refused: " + (IsSecret(name) ? "the value is not allowed" : error));
  }
}

}  // namespace

Result<KafkaConfHandle> BuildKafkaConf(const KafkaConfig& config, const RequiredSettings& required) {
  KafkaConfHandle conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), HandleKafkaLog);
  for (const auto& [name, value] : required) {
    const auto given = config.find(name);
    if (given != config.end() && given->second != value) {
      return Status::Invalid("Kafka client setting " + name + " must be " + value + ", not " + given->second);
    }
    const Status status = SetOne(conf.get(), name, value);
    if (!status.ok()) return status;
  }
  for (const auto& [name, value] : config) {
    if (required.count(name) != 0) continue;
    const Status status = SetOne(conf.get(), name, value);
    if (!status.ok()) return status;
  }
  return conf;
}

Result<KafkaClientHandle> NewKafkaClient(rd_kafka_type_t type, KafkaConfHandle conf) {
  char error[kErrorTextMax];
  rd_kafka_t* client = rd_kafka_new(type, conf.get(), error, sizeof(error));
  if (client == nullptr)
    return Status::Invalid(std::string("The Kafka client could not be created: ") + error);
  (void)conf.release();
  return KafkaClientHandle(client);
}

int64_t KafkaConfInteger(const rd_kafka_conf_t* conf, const char* name) {
  char text[64];
  size_t size = sizeof(text);
  if (rd_kafka_conf_get(conf, name, text, &size) != RD_KAFKA_CONF_OK) return -1;
  return std::strtoll(text, nullptr, 10);
}

}  // namespace weir
