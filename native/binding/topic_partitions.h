#pragma once

#include <string>
#include <vector>

#include "binding/arguments.h"
#include "binding/napi_setup.h"
#include "common/topic_partition.h"

namespace weir {

// src/native/topic-partitions.ts: TopicPartition and TopicPartitionOffset, from and to JavaScript.
//
// Threading: the JS thread, within the call. Reading throws `invalid`.
std::vector<TopicPartition> ReadPartitions(const Arguments& arguments, size_t index, const char* name);
std::vector<TopicPartitionOffset> ReadOffsets(const Arguments& arguments, size_t index, const char* name);
Napi::Array PartitionsValue(Napi::Env env, const std::vector<TopicPartition>& partitions);
Napi::Array OffsetsValue(Napi::Env env, const std::vector<TopicPartitionOffset>& offsets);
int ReadTimeout(const Arguments& arguments, size_t index);

}  // namespace weir
