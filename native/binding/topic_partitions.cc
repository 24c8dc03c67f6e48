#include "binding/topic_partitions.h"

#include <limits>
#include <utility>

namespace weir {

namespace {

std::string Element(const char* name, uint32_t index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

int32_t ReadPartition(Properties* properties) {
  return static_cast<int32_t>(properties->Integer("partition", 0, std::numeric_limits<int32_t>::max()));
}

}  // namespace

// Other properties are left alone: offsets are handed in where partitions are asked for.
std::vector<TopicPartition> ReadPartitions(const Arguments& arguments, size_t index, const char* name) {
  const Napi::Array array = arguments.Array(index, name);
  std::vector<TopicPartition> partitions;
  for (uint32_t i = 0; i < array.Length(); i++) {
    Properties properties(ObjectAt(array, i, Element(name, i)), Element(name, i));
    std::string topic = properties.String("topic");
    partitions.push_back({std::move(topic), ReadPartition(&properties)});
  }
  return partitions;
}

std::vector<TopicPartitionOffset> ReadOffsets(const Arguments& arguments, size_t index, const char* name) {
  const Napi::Array array = arguments.Array(index, name);
  std::vector<TopicPartitionOffset> offsets;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Object object = ObjectAt(array, i, Element(name, i));
    Properties properties(object, Element(name, i));
    std::string topic = properties.String("topic");
    const int32_t partition = ReadPartition(&properties);
    const int64_t offset = properties.Integer("offset", -1);
    std::string metadata;
    if (object.Has("metadata") && !object.Get("metadata").IsUndefined())
      metadata = properties.String("metadata");
    offsets.push_back({std::move(topic), partition, offset, std::move(metadata)});
  }
  return offsets;
}

Napi::Array PartitionsValue(Napi::Env env, const std::vector<TopicPartition>& partitions) {
  Napi::Array result = Napi::Array::New(env, partitions.size());
  for (uint32_t i = 0; i < partitions.size(); i++) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", partitions[i].topic);
    object.Set("partition", partitions[i].partition);
    result.Set(i, object);
  }
  return result;
}

Napi::Array OffsetsValue(Napi::Env env, const std::vector<TopicPartitionOffset>& offsets) {
  Napi::Array result = Napi::Array::New(env, offsets.size());
  for (uint32_t i = 0; i < offsets.size(); i++) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("topic", offsets[i].topic);
    object.Set("partition", offsets[i].partition);
    object.Set("offset", static_cast<double>(offsets[i].offset));
    object.Set("metadata", offsets[i].metadata);
    result.Set(i, object);
  }
  return result;
}

int ReadTimeout(const Arguments& arguments, size_t index) {
  return static_cast<int>(arguments.Integer(index, "timeoutMs", 0, std::numeric_limits<int>::max()));
}

}  // namespace weir
