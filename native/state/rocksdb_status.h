#pragma once

#include <rocksdb/status.h>

#include <string>

#include "common/status.h"

namespace weir {

// RocksDB's status as `rocksdb:<Code>`; `context` begins the message. A full disk is `rocksdb:NoSpace`,
// whatever reports it.
Status RocksdbStatus(const rocksdb::Status& status, const std::string& context);

}  // namespace weir
