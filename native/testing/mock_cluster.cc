#include "testing/mock_cluster.h"

#include <utility>

#include "common/kafka_config.h"
#include "common/kafka_status.h"

namespace weir {

Result<std::unique_ptr<MockCluster>> MockCluster::Start(int brokers) {
  if (brokers < 1 || brokers > kBrokersMax) {
    return Status::Invalid("MockCluster: brokers must be from 1 to " + std::to_string(kBrokersMax));
  }
  Result<KafkaConfHandle> conf = BuildKafkaConf({{"client.id", "weir-mock-cluster"}, {"log_level", "4"}}, {});
  if (!conf.ok()) return conf.status();
  Result<KafkaClientHandle> client = NewKafkaClient(RD_KAFKA_PRODUCER, std::move(conf.value()));
  if (!client.ok()) return client.status();
  rd_kafka_mock_cluster_t* cluster = rd_kafka_mock_cluster_new(client.value().get(), brokers);
  if (cluster == nullptr) {
    return KafkaStatus(rd_kafka_last_error(), "MockCluster: the brokers could not be started");
  }
  // Real brokers wait 3 s for more members of a new group.
  rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0);
  return std::unique_ptr<MockCluster>(new MockCluster(std::move(client.value()), cluster));
}

MockCluster::~MockCluster() { rd_kafka_mock_cluster_destroy(cluster_); }

Status MockCluster::CreateTopic(const std::string& name, int partitions) {
  if (name.empty() || partitions < 1)
    return Status::Invalid("MockCluster: a topic needs a name and at least one partition");
  return KafkaStatus(rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1),
                     "MockCluster: create topic " + name);
}

Status MockCluster::InjectErrors(int16_t api_key, const std::vector<std::string>& errors) {
  if (errors.empty()) rd_kafka_mock_clear_request_errors(cluster_, api_key);
  std::vector<rd_kafka_resp_err_t> codes;
  for (const std::string& name : errors) {
    const rd_kafka_resp_err_t code = KafkaErrorByName(name);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN) return Status::Invalid("MockCluster: no error is called " + name);
    codes.push_back(code);
  }
  rd_kafka_mock_push_request_errors_array(cluster_, api_key, codes.size(), codes.data());
  return Status::Ok();
}

Status MockCluster::InjectErrorsAt(int32_t broker, int16_t api_key, const std::string& error, int count) {
  const rd_kafka_resp_err_t code = KafkaErrorByName(error);
  if (code == RD_KAFKA_RESP_ERR_UNKNOWN) return Status::Invalid("MockCluster: no error is called " + error);
  for (int i = 0; i < count; i++) {
    const Status pushed =
        KafkaStatus(rd_kafka_mock_broker_push_request_error_rtts(cluster_, broker, api_key, 1, code, 0),
                    "MockCluster: inject " + error);
    if (!pushed.ok()) return pushed;
  }
  return Status::Ok();
}

Status MockCluster::MoveGroup(const std::string& group, int32_t broker) {
  return KafkaStatus(rd_kafka_mock_coordinator_set(cluster_, "group", group.c_str(), broker),
                     "MockCluster: move group " + group);
}

rd_kafka_resp_err_t KafkaErrorByName(const std::string& name) {
  const rd_kafka_err_desc* descriptions;
  size_t count;
  rd_kafka_get_err_descs(&descriptions, &count);
  for (size_t i = 0; i < count; i++) {
    if (descriptions[i].name != nullptr && name == descriptions[i].name) return descriptions[i].code;
  }
  return RD_KAFKA_RESP_ERR_UNKNOWN;
}

}  // namespace weir
