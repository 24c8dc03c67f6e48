#include "produce/produced_record.h"

#include <algorithm>
#include <cstring>

#include "produce/headers_decoder.h"

namespace weir {

namespace {

constexpr double kTimestampMax = 9007199254740991.0;

// True when [start, start + length) lies within the arena; a length below 0 is null.
bool WithinArena(int32_t start, int32_t length, size_t arena_size) {
  return length < 0 || (start >= 0 && static_cast<size_t>(start) + static_cast<size_t>(length) <= arena_size);
}

}  // namespace

std::string RecordOfBatch(size_t index) {
  return "Producer.produce: record " + std::to_string(index) + " of the batch";
}

Result<ProducedRecord> ReadRecord(const ProduceBatch& batch, size_t index, const std::string& topic) {
  const int32_t key_length = batch.key_length[index];
  const int32_t value_length = batch.value_length[index];
  const int32_t headers_length = batch.headers_length[index];
  if (!WithinArena(batch.key_start[index], key_length, batch.arena_size) ||
      !WithinArena(batch.value_start[index], value_length, batch.arena_size) ||
      !WithinArena(batch.headers_start[index], headers_length, batch.arena_size)) {
    return Status::Invalid(RecordOfBatch(index) + " lies outside of its arena");
  }
  const double timestamp = batch.timestamp[index];
  if (!(timestamp >= -1 && timestamp <= kTimestampMax)) {
    return Status::Invalid(RecordOfBatch(index) + " for " + topic +
                           " has a timestamp that is no number of ms since 1970");
  }
  ProducedRecord record{key_length < 0 ? nullptr : batch.arena + batch.key_start[index],
                        key_length < 0 ? 0 : static_cast<size_t>(key_length),
                        value_length < 0 ? nullptr : batch.arena + batch.value_start[index],
                        value_length < 0 ? 0 : static_cast<size_t>(value_length),
                        static_cast<int64_t>(timestamp),
                        nullptr};
  if (headers_length > 0) {
    record.headers =
        DecodeHeaders(batch.arena + batch.headers_start[index], static_cast<size_t>(headers_length));
    if (record.headers == nullptr) {
      return Status::Invalid(RecordOfBatch(index) + " for " + topic + " has headers that cannot be decoded");
    }
  }
  return record;
}

rd_kafka_error_t* HandOver(rd_kafka_t* client, rd_kafka_topic_t* topic, int32_t partition,
                           const ProducedRecord& record) {
  rd_kafka_vu_t arguments[8];
  arguments[0].vtype = RD_KAFKA_VTYPE_RKT;
  arguments[0].u.rkt = topic;
  arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  arguments[1].u.i32 = partition;
  arguments[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[2].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[3].vtype = RD_KAFKA_VTYPE_KEY;
  arguments[3].u.mem.ptr = const_cast<void*>(record.key);
  arguments[3].u.mem.size = record.key_size;
  arguments[4].vtype = RD_KAFKA_VTYPE_VALUE;
  arguments[4].u.mem.ptr = const_cast<void*>(record.value);
  arguments[4].u.mem.size = record.value_size;
  arguments[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  // librdkafka takes 0 for "now"; there is no way to send 0 itself, and 1 ms is nearer to it.
  arguments[5].u.i64 = record.timestamp_ms == 0 ? 1 : std::max<int64_t>(record.timestamp_ms, 0);
  // librdkafka does not tell the timestamp of a record that has failed.
  static_assert(sizeof(arguments[6].u.ptr) == sizeof(record.timestamp_ms), "a timestamp fits into an opaque");
  arguments[6].vtype = RD_KAFKA_VTYPE_OPAQUE;
  std::memcpy(&arguments[6].u.ptr, &record.timestamp_ms, sizeof(record.timestamp_ms));
  arguments[7].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[7].u.headers = record.headers;
  return rd_kafka_produceva(client, arguments, record.headers == nullptr ? 7 : 8);
}

}  // namespace weir
