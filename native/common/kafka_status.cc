#include "common/kafka_status.h"

namespace weir {

namespace {

// What passes by itself when the cluster recovers. librdkafka marks only the errors of its transactional
// calls as retriable, so the answer for plain codes is ours: Kafka's RetriableException family, and
// librdkafka's own transport errors.
bool IsRetriable(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR__IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__RETRY:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
    case RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS:
      return true;
    default:
      return false;
  }
}

Status Make(rd_kafka_resp_err_t error, const std::string& context, const std::string& reason, bool retriable,
            bool fatal) {
  // What a client answers after its end is as what we answer ourselves then.
  const bool closed = error == RD_KAFKA_RESP_ERR__DESTROY;
  return Status(closed ? "closed" : std::string("kafka:") + rd_kafka_err2name(error), context + ": " + reason,
                retriable, fatal);
}

}  // namespace

Status KafkaStatus(rd_kafka_resp_err_t error, const std::string& context) {
  return KafkaStatus(error, context, rd_kafka_err2str(error));
}

Status KafkaStatus(rd_kafka_resp_err_t error, const std::string& context, const std::string& reason) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::Ok();
  return Make(error, context, reason, IsRetriable(error), error == RD_KAFKA_RESP_ERR__FATAL);
}

Status KafkaStatus(rd_kafka_event_t* event, const std::string& context) {
  const rd_kafka_resp_err_t error = rd_kafka_event_error(event);
  const char* const text = rd_kafka_event_error_string(event);
  // librdkafka's word for partitions that have no leader at the moment.
  return KafkaStatus(error == RD_KAFKA_RESP_ERR__NOENT ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : error,
                     context, text == nullptr ? "" : text);
}

Status KafkaStatus(const rd_kafka_error_t* error, const std::string& context) {
  if (error == nullptr) return Status::Ok();
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  return Make(code, context, rd_kafka_error_string(error),
              rd_kafka_error_is_retriable(error) != 0 || IsRetriable(code),
              rd_kafka_error_is_fatal(error) != 0);
}

Status FatalKafkaStatus(rd_kafka_t* client, const std::string& context) {
  char reason[512];
  const rd_kafka_resp_err_t cause = rd_kafka_fatal_error(client, reason, sizeof(reason));
  return cause == RD_KAFKA_RESP_ERR_NO_ERROR ? Status::Ok() : Make(cause, context, reason, false, true);
}

Status TakeKafkaStatus(rd_kafka_error_t* error, const std::string& context) {
  Status status = KafkaStatus(error, context);
  if (error != nullptr) rd_kafka_error_destroy(error);
  return status;
}

}  // namespace weir
