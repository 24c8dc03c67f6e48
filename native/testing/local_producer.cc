#include "testing/local_producer.h"

#include <utility>

namespace weir {

namespace {

void PutNumber(std::string* out, uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

void PutBytes(std::string* out, std::optional<std::string_view> bytes) {
  PutNumber(out, bytes.has_value() ? bytes->size() : UINT64_MAX, 4);
  if (bytes.has_value()) out->append(*bytes);
}

}  // namespace

int LocalProducer::Topic(const std::string& name) {
  const int known = TopicId(name);
  if (known >= 0) return known;
  topics_.push_back({name, 0});
  return static_cast<int>(topics_.size()) - 1;
}

Status LocalProducer::Produce(const ProduceBatch& batch, size_t from, size_t count) {
  for (size_t i = from; i < count; i++) {
    bool within = true;
    const auto bytes = [&](int32_t start, int32_t length) -> std::optional<std::string_view> {
      if (length < 0) return std::nullopt;
      if (start < 0 || static_cast<size_t>(start) + static_cast<size_t>(length) > batch.arena_size) {
        within = false;
        return std::nullopt;
      }
      return std::string_view(reinterpret_cast<const char*>(batch.arena) + start,
                              static_cast<size_t>(length));
    };
    const auto key = bytes(batch.key_start[i], batch.key_length[i]);
    const auto value = bytes(batch.value_start[i], batch.value_length[i]);
    const auto headers = bytes(batch.headers_start[i], batch.headers_length[i]);
    if (!within) {
      return Status::Invalid("LocalProducer.produce: record " + std::to_string(i) +
                             " lies outside of its arena");
    }
    Status kept = Keep(batch.topic[i], key, value, headers, static_cast<int64_t>(batch.timestamp[i]));
    if (!kept.ok()) return kept;
  }
  return Status::Ok();
}

std::string LocalProducer::Take() { return std::exchange(records_, std::string()); }

int LocalProducer::TopicId(const std::string& name) const {
  for (size_t i = 0; i < topics_.size(); i++) {
    if (topics_[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

Status LocalProducer::Append(int topic, int32_t, std::string_view key, std::optional<std::string_view> value,
                             std::string_view headers, int64_t timestamp_ms) {
  return Keep(topic, key, value, headers.empty() ? std::nullopt : std::optional(headers), timestamp_ms);
}

int64_t LocalProducer::DeliveredOffset(int topic, int32_t) const {
  const int64_t records = topics_[static_cast<size_t>(topic)].records;
  return records == 0 ? -1 : records;
}

Status LocalProducer::Keep(int topic, std::optional<std::string_view> key,
                           std::optional<std::string_view> value, std::optional<std::string_view> headers,
                           int64_t timestamp_ms) {
  if (!HasTopic(topic)) {
    return Status::Invalid("LocalProducer.produce: a record names topic " + std::to_string(topic) +
                           ", which is not registered");
  }
  PutNumber(&records_, static_cast<uint64_t>(topic), 4);
  PutNumber(&records_, static_cast<uint64_t>(timestamp_ms), 8);
  PutBytes(&records_, key);
  PutBytes(&records_, value);
  PutBytes(&records_, headers);
  topics_[static_cast<size_t>(topic)].records++;
  delivered_records_++;
  return Status::Ok();
}

}  // namespace weir
