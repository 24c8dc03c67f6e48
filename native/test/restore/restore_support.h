#pragma once

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "restore/restore_writer.h"
#include "state/changelog_rows.h"
#include "test/state/state_support.h"

namespace weir {

// A random changelog of `keys` keys, which begin alike or not, and of which some are empty or prefixes of others.
inline std::vector<RecordingSink::Record> RandomChangelog(Random& random, size_t records, size_t keys,
                                                          size_t value_max) {
  std::vector<std::string> names;
  const std::string prefix = random.OneIn(2) ? "user-0000" : "";
  for (size_t i = 0; i < keys; i++)
    names.push_back(random.OneIn(50) ? random.Bytes(random.Below(3))
                                     : prefix + std::to_string(random.Below(keys)));
  std::vector<RecordingSink::Record> log;
  for (size_t i = 0; i < records; i++) {
    log.push_back({names[random.Below(keys)],
                   random.OneIn(5) ? std::nullopt : std::optional(random.Bytes(random.Below(value_max))),
                   static_cast<int64_t>(random.Below(1'000'000'000))});
  }
  return log;
}

// A part of a changelog as a restore hands it over: views of `log`.
inline std::vector<ChangelogRecord> RecordsOf(const std::vector<RecordingSink::Record>& log, size_t begin,
                                              size_t end) {
  std::vector<ChangelogRecord> records;
  for (size_t i = begin; i < end; i++) {
    records.push_back(
        {log[i].key, log[i].value.has_value() ? std::optional<std::string_view>(*log[i].value) : std::nullopt,
         log[i].timestamp_ms});
  }
  return records;
}

// Does all the outstanding work.
inline Status WorkOff(RestoreWriter& writer) {
  Status status;
  while (status.ok() && writer.busy()) status = writer.Work();
  return status;
}

// The files of a family of a database that nobody has open.
inline std::vector<rocksdb::LiveFileMetaData> FilesOf(const std::string& path, const std::string& family) {
  std::vector<std::string> names;
  EXPECT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), path, &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(rocksdb::DBOptions(), path, families, &handles, &opened);
  EXPECT_TRUE(status.ok()) << status.ToString();
  const std::unique_ptr<rocksdb::DB> db(opened);
  std::vector<rocksdb::LiveFileMetaData> all;
  db->GetLiveFilesMetaData(&all);
  for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  std::vector<rocksdb::LiveFileMetaData> files;
  for (const rocksdb::LiveFileMetaData& file : all) {
    if (file.column_family_name == family) files.push_back(file);
  }
  return files;
}

// All in the bottom level, none over another.
inline void ExpectFilesAtTheBottom(const std::vector<rocksdb::LiveFileMetaData>& files) {
  for (const rocksdb::LiveFileMetaData& file : files) {
    EXPECT_EQ(file.level, 6) << file.name;
    for (const rocksdb::LiveFileMetaData& other : files) {
      if (file.smallestkey < other.smallestkey) {
        EXPECT_LT(file.largestkey, other.smallestkey);
      }
    }
  }
}

}  // namespace weir
