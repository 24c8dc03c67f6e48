#include "produce/failed_deliveries.h"

#include <utility>

#include "common/headers_encoder.h"
#include "produce/produced_record.h"

namespace weir {

namespace {

std::optional<std::string> Copy(const void* bytes, size_t size) {
  if (bytes == nullptr) return std::nullopt;
  return std::string(static_cast<const char*>(bytes), size);
}

}  // namespace

bool FailedDeliveries::IsOfRecord(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
      return true;
    default:
      return false;
  }
}

bool FailedDeliveries::Keep(int topic, const rd_kafka_message_t* message, const Status& error) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) headers = nullptr;
  const size_t headers_size = HeadersSize(headers);
  const size_t bytes = message->key_len + message->len + headers_size;
  std::lock_guard<std::mutex> lock(mutex_);
  if (kept_.size() >= kRecordsMax || bytes > kBytesMax - bytes_) return false;
  bytes_ += bytes;
  FailedDelivery failed{topic,
                        message->partition,
                        TimestampOf(message),
                        Copy(message->key, message->key_len),
                        Copy(message->payload, message->len),
                        std::string(headers_size, '\0'),
                        error};
  if (headers_size > 0) EncodeHeaders(headers, reinterpret_cast<uint8_t*>(failed.headers.data()));
  kept_.push_back(std::move(failed));
  return true;
}

std::vector<FailedDelivery> FailedDeliveries::Take() {
  std::lock_guard<std::mutex> lock(mutex_);
  bytes_ = 0;
  return std::exchange(kept_, {});
}

}  // namespace weir
