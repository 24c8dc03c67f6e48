#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <memory>
#include <string>
#include <vector>

#include "common/kafka_handles.h"
#include "common/status.h"

namespace weir {

// librdkafka's mock brokers on loopback, run by a client of their own: for the demo and for unit tests. They keep 5 MiB or 100,000
// batches a partition and have no topic administration, no compaction and no isolation.
//
// Threading: one thread at a time; the brokers run on a thread of librdkafka's. The destructor waits for that thread.
class MockCluster {
 public:
  static constexpr int kBrokersMax = 16;

  static Result<std::unique_ptr<MockCluster>> Start(int brokers);
  ~MockCluster();
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  std::string BootstrapServers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  Status CreateTopic(const std::string& name, int partitions);
  // The next requests of the kind `api_key` (Kafka's number) answer with these errors, by librdkafka's names, in order.
  // None: nor with those that are left.
  Status InjectErrors(int16_t api_key, const std::vector<std::string>& errors);
  // The next `count` requests of the kind `api_key` that reach the broker `broker` (from 1) answer with `error`.
  Status InjectErrorsAt(int32_t broker, int16_t api_key, const std::string& error, int count);
  // From now on `broker` coordinates `group`. Connections stay, and the one before goes on answering: the mock brokers do not look.
  Status MoveGroup(const std::string& group, int32_t broker);

 private:
  MockCluster(KafkaClientHandle client, rd_kafka_mock_cluster_t* cluster)
      : client_(std::move(client)), cluster_(cluster) {}

  KafkaClientHandle client_;
  rd_kafka_mock_cluster_t* const cluster_;
};

// The error with librdkafka's name `name` ("NOT_LEADER_FOR_PARTITION", "_TIMED_OUT"); RD_KAFKA_RESP_ERR_UNKNOWN when there is none.
rd_kafka_resp_err_t KafkaErrorByName(const std::string& name);

}  // namespace weir
