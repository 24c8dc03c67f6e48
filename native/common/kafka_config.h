#pragma once

#include <map>
#include <string>

#include "common/kafka_handles.h"
#include "common/status.h"

namespace weir {

// librdkafka's settings by name, as in its CONFIGURATION.md.
using KafkaConfig = std::map<std::string, std::string>;

// Settings that a guarantee rests on, with the only value that each may have.
using RequiredSettings = std::map<std::string, std::string>;

// Builds librdkafka's configuration from `config` and `required`; what the client logs goes to the KafkaLogSink. An unknown name, a value that librdkafka refuses, and a value that
// contradicts a required one are `invalid`, named with setting and value; values of secrets are not shown.
Result<KafkaConfHandle> BuildKafkaConf(const KafkaConfig& config, const RequiredSettings& required);

// Creates a client, which takes `conf`.
Result<KafkaClientHandle> NewKafkaClient(rd_kafka_type_t type, KafkaConfHandle conf);

// The integer value of a setting of `conf`, -1 when it has none.
int64_t KafkaConfInteger(const rd_kafka_conf_t* conf, const char* name);

}  // namespace weir
