#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/changelog_sink.h"
#include "state/task_database.h"
#include "test/test_support.h"

namespace weir {

// The rows of a store as a test knows them.
using Model = std::map<std::string, std::string>;

inline StateMemoryOptions SmallMemory() { return {32 << 20, 16 << 20, 2, 2, 256}; }

inline std::shared_ptr<StateMemory> AcquireMemory(const StateMemoryOptions& options = SmallMemory()) {
  Result<std::shared_ptr<StateMemory>> memory = StateMemory::Acquire(options);
  EXPECT_TRUE(memory.ok());
  return memory.value();
}

// Keeps what it is given; everything is delivered at once.
class RecordingSink final : public ChangelogSink {
 public:
  struct Record {
    std::string key;
    std::optional<std::string> value;
    int64_t timestamp_ms;
    std::string headers = {};
  };

  explicit RecordingSink(std::vector<std::string> topics)
      : topics_(std::move(topics)), logs_(topics_.size()) {}

  int TopicId(const std::string& name) const override {
    for (size_t i = 0; i < topics_.size(); i++) {
      if (topics_[i] == name) return static_cast<int>(i);
    }
    return -1;
  }
  Status Append(int topic, int32_t, std::string_view key, std::optional<std::string_view> value,
                std::string_view headers, int64_t timestamp_ms) override {
    if (fail_after_ == 0) return Status("kafka:_TIMED_OUT", "full");
    if (fail_after_ > 0) fail_after_--;
    logs_[topic].push_back({std::string(key),
                            value.has_value() ? std::optional<std::string>(*value) : std::nullopt,
                            timestamp_ms, std::string(headers)});
    return Status::Ok();
  }
  int64_t DeliveredOffset(int topic, int32_t) const override {
    return logs_[topic].empty() ? -1 : static_cast<int64_t>(logs_[topic].size());
  }
  Status FirstError() const override { return error_; }

  const std::vector<Record>& log(size_t topic) const { return logs_[topic]; }
  std::vector<Record>& log(size_t topic) { return logs_[topic]; }
  void FailAfter(int64_t records) { fail_after_ = records; }
  void SetError(Status error) { error_ = std::move(error); }

 private:
  const std::vector<std::string> topics_;
  std::vector<std::vector<Record>> logs_;
  int64_t fail_after_ = -1;
  Status error_;
};

// A batch of changes, as JavaScript hands them over.
class ChangeBatch {
 public:
  void Put(const std::string& key, const std::optional<std::string>& value, int64_t timestamp_ms = 0) {
    changes_.push_back({key, value, timestamp_ms});
  }
  size_t size() const { return changes_.size(); }

  Result<int64_t> Apply(TaskDatabase& database, size_t store) {
    const size_t count = changes_.size();
    std::string arena;
    std::vector<int32_t> columns(4 * count);
    std::vector<double> timestamps(count);
    const RowColumns rows(columns.data(), count);
    for (size_t i = 0; i < count; i++) {
      rows.key_start[i] = static_cast<int32_t>(arena.size());
      rows.key_length[i] = static_cast<int32_t>(changes_[i].key.size());
      arena += changes_[i].key;
      rows.value_start[i] = static_cast<int32_t>(arena.size());
      rows.value_length[i] =
          changes_[i].value.has_value() ? static_cast<int32_t>(changes_[i].value->size()) : -1;
      arena += changes_[i].value.value_or("");
      timestamps[i] = static_cast<double>(changes_[i].timestamp_ms);
    }
    changes_.clear();
    return database.Apply(store, arena, rows, timestamps.data(), count);
  }

 private:
  std::vector<RecordingSink::Record> changes_;
};

inline Status PutOne(TaskDatabase& database, size_t store, const std::string& key,
                     const std::optional<std::string>& value, int64_t timestamp_ms = 0) {
  ChangeBatch batch;
  batch.Put(key, value, timestamp_ms);
  const Result<int64_t> applied = batch.Apply(database, store);
  return applied.ok() ? Status::Ok() : applied.status();
}

inline std::optional<std::string> GetOne(TaskDatabase& database, size_t store, const std::string& key) {
  std::string out(16, '\0');
  Result<int64_t> length = database.Get(store, key, out.data(), out.size());
  EXPECT_TRUE(length.ok()) << length.status().message();
  if (length.value() > static_cast<int64_t>(out.size())) {
    out.resize(static_cast<size_t>(length.value()));
    length = database.Get(store, key, out.data(), out.size());
  }
  if (length.value() < 0) return std::nullopt;
  return out.substr(0, static_cast<size_t>(length.value()));
}

// Reads up to `limit` rows of a scan, in chunks of `capacity` rows and `bytes`.
inline std::vector<std::pair<std::string, std::string>> ReadScan(MergedScan& scan, size_t capacity = 7,
                                                                 size_t bytes = 64, size_t limit = SIZE_MAX) {
  std::vector<std::pair<std::string, std::string>> rows;
  std::vector<int32_t> columns(4 * capacity);
  std::string out(bytes, '\0');
  while (rows.size() < limit) {
    const Result<int64_t> count =
        scan.Next(out.data(), out.size(), RowColumns(columns.data(), capacity), capacity);
    EXPECT_TRUE(count.ok()) << count.status().message();
    if (!count.ok() || count.value() == 0) return rows;
    if (count.value() < 0) {
      EXPECT_GT(-count.value(), static_cast<int64_t>(out.size()));
      out.resize(static_cast<size_t>(-count.value()));
      continue;
    }
    const RowColumns view(columns.data(), capacity);
    for (int64_t i = 0; i < count.value(); i++) {
      rows.emplace_back(out.substr(view.key_start[i], view.key_length[i]),
                        out.substr(view.value_start[i], view.value_length[i]));
    }
  }
  return rows;
}

inline std::vector<std::pair<std::string, std::string>> ScanAll(const std::shared_ptr<TaskDatabase>& database,
                                                                size_t store) {
  Result<std::shared_ptr<MergedScan>> scan = database->NewScan(store, std::nullopt, std::nullopt, false);
  EXPECT_TRUE(scan.ok());
  return ReadScan(*scan.value(), 256, 65536);
}

inline Result<DrainTotals> DrainOnly(TaskDatabase& database, const std::shared_ptr<ChangelogSink>& sink) {
  const Status begun = database.BeginDrain();
  if (!begun.ok()) return begun;
  return database.Drain(sink);
}

inline Status CommitAll(TaskDatabase& database, const std::shared_ptr<ChangelogSink>& sink) {
  const Result<DrainTotals> drained = DrainOnly(database, sink);
  if (!drained.ok()) return drained.status();
  Status status = database.BeginCommit();
  if (status.ok()) status = database.Commit();
  return status;
}

inline std::shared_ptr<TaskDatabase> OpenDatabase(const std::shared_ptr<StateMemory>& memory,
                                                  const TaskDatabaseOptions& options) {
  Result<std::shared_ptr<TaskDatabase>> database = TaskDatabase::Open(memory, options);
  EXPECT_TRUE(database.ok()) << database.status().message();
  return database.ok() ? database.value() : nullptr;
}

// Three stores: plain, timestamped, and one that is not logged.
inline TaskDatabaseOptions ThreeStores(const std::string& path) {
  return {path,
          3,
          {{"plain", false, "plain-log"}, {"timed", true, "timed-log"}, {"local", false, std::nullopt}},
          1'000'000,
          3'600'000,
          {}};
}

inline std::shared_ptr<RecordingSink> ThreeStoresSink() {
  return std::make_shared<RecordingSink>(std::vector<std::string>{"plain-log", "timed-log"});
}

inline std::string TimestampBytes(int64_t timestamp_ms) {
  std::string bytes(8, '\0');
  PutInt64(bytes.data(), timestamp_ms);
  return bytes;
}

// What a changelog says a store holds after its first `records` records.
inline Model Replay(const std::vector<RecordingSink::Record>& log, int64_t records, bool timestamped) {
  Model model;
  for (int64_t i = 0; i < records; i++) {
    const RecordingSink::Record& record = log[static_cast<size_t>(i)];
    if (!record.value.has_value()) {
      model.erase(record.key);
    } else {
      model[record.key] = (timestamped ? TimestampBytes(record.timestamp_ms) : "") + *record.value;
    }
  }
  return model;
}

inline std::vector<std::pair<std::string, std::string>> RowsOf(const Model& model) {
  return {model.begin(), model.end()};
}

}  // namespace weir
