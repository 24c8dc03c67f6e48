#pragma once

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/status.h"
#include "produce/produce_batch.h"

namespace weir {

// A record on its way to librdkafka. Owns nothing: the bytes are the batch's, the headers its maker's until librdkafka has taken them.
//
// Threading: a value.
struct ProducedRecord {
  const void* key;  // null: a null key
  size_t key_size;
  const void* value;  // null: a null value
  size_t value_size;
  int64_t timestamp_ms;
  rd_kafka_headers_t* headers;  // taken when the record is; null when there are none

  size_t size() const { return key_size + value_size; }
};

// "record 3 of the batch", as failures name it.
std::string RecordOfBatch(size_t index);

// Record `index` of the batch, which goes to `topic`. A failure for one that lies outside of its arena, or has no readable timestamp or
// headers. The caller owns its headers.
Result<ProducedRecord> ReadRecord(const ProduceBatch& batch, size_t index, const std::string& topic);

// Null when librdkafka has taken the record, with its headers; else the caller owns the error. The delivery report has the record's timestamp
// for its opaque: see TimestampOf.
rd_kafka_error_t* HandOver(rd_kafka_t* client, rd_kafka_topic_t* topic, int32_t partition,
                           const ProducedRecord& record);

// As it was handed over. `report` tells of a record's delivery, or of its failure.
inline int64_t TimestampOf(const rd_kafka_message_t* report) {
  return reinterpret_cast<int64_t>(report->_private);
}

}  // namespace weir
