#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

#include "common/status.h"

namespace weir {

// Converts librdkafka's errors. `context` begins the message: what was attempted, on which topic and
// partition. RD_KAFKA_RESP_ERR_NO_ERROR and a null error are successes.
Status KafkaStatus(rd_kafka_resp_err_t error, const std::string& context);
Status KafkaStatus(const rd_kafka_error_t* error, const std::string& context);

// As above, with librdkafka's own text (`reason`) instead of the code's general description.
Status KafkaStatus(rd_kafka_resp_err_t error, const std::string& context, const std::string& reason);

// The failure of a whole admin request, by its result's event.
Status KafkaStatus(rd_kafka_event_t* event, const std::string& context);

// The error that made `client` useless, with its cause's code and `fatal` set; Ok when there is none.
Status FatalKafkaStatus(rd_kafka_t* client, const std::string& context);

// Takes ownership of `error`.
Status TakeKafkaStatus(rd_kafka_error_t* error, const std::string& context);

}  // namespace weir
