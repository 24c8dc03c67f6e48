#include "state/version_history.h"

#include <gtest/gtest.h>

#include "restore/restore_writer.h"
#include "test/restore/restore_support.h"

namespace weir {
namespace {

constexpr SegmentSettings kSettings{60'000, 10'000, SegmentSettings::kVersionedSuffixBytes};

TaskDatabaseOptions OneVersionedStore(const std::string& path) {
  return {path, 0, {{"versions", false, "versions-log", false, kSettings}}, 1'000'000, 3'600'000, {}};
}

std::shared_ptr<RecordingSink> OneStoreSink() {
  return std::make_shared<RecordingSink>(std::vector<std::string>{"versions-log"});
}

int64_t Put(TaskDatabase& database, const std::string& key, std::optional<std::string_view> value,
            int64_t time_ms) {
  const Result<PutOutcome> put = database.PutVersion(0, key, {time_ms, value});
  EXPECT_TRUE(put.ok()) << put.status().message();
  return put.value().valid_to_ms;
}

// `value@from-to`, as the store finds it.
std::string Get(TaskDatabase& database, const std::string& key,
                std::optional<int64_t> time_ms = std::nullopt) {
  const Result<std::optional<FoundVersion>> found = database.GetVersion(0, key, time_ms);
  EXPECT_TRUE(found.ok()) << found.status().message();
  if (!found.value().has_value()) return "none";
  const FoundVersion& version = *found.value();
  return std::string(version.value) + "@" + std::to_string(version.from_ms) + "-" +
         std::to_string(version.to_ms);
}

std::string Prefix(int64_t segment) { return SegmentPrefix(segment); }

// A changelog of few keys and times, so that versions meet; some expire.
std::vector<RecordingSink::Record> RandomVersions(Random& random, size_t count) {
  std::vector<RecordingSink::Record> log;
  for (size_t i = 0; i < count; i++) {
    const auto now = static_cast<int64_t>(i * 100);
    const auto behind = static_cast<int64_t>(random.Below(random.OneIn(20) ? 150'000 : 30'000));
    log.push_back({"key" + std::string(random.Below(3), 'k'),
                   random.OneIn(4) ? std::nullopt : std::optional(random.Bytes(random.Below(40))),
                   std::max<int64_t>(0, (now - behind) / 1000 * 1000)});
  }
  return log;
}

Status PutAll(TaskDatabase& database, const std::vector<RecordingSink::Record>& log, size_t begin,
              size_t end) {
  for (size_t i = begin; i < end; i++) {
    const std::optional<std::string_view> value =
        log[i].value.has_value() ? std::optional<std::string_view>(*log[i].value) : std::nullopt;
    const Result<PutOutcome> put = database.PutVersion(0, log[i].key, {log[i].timestamp_ms, value});
    if (!put.ok()) return put.status();
  }
  return Status::Ok();
}

std::vector<ChangelogRecord> WithOffsets(const std::vector<RecordingSink::Record>& log, size_t begin,
                                         size_t end) {
  std::vector<ChangelogRecord> records = RecordsOf(log, begin, end);
  for (size_t i = 0; i < records.size(); i++) records[i].offset = static_cast<int64_t>(begin + i);
  return records;
}

TEST(VersionHistory, RowsAreLaidOutAsTheyAreDocumented) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), OneVersionedStore(folder / "db"));
  EXPECT_EQ(Put(*database, "k", "one", 1'000), VersionHistory::kLatest);
  EXPECT_EQ(Put(*database, "k", "three", 3'000), VersionHistory::kLatest);
  EXPECT_EQ(Put(*database, "k", std::nullopt, 2'000), 3'000);
  EXPECT_EQ(Put(*database, "k", "", 12'000), VersionHistory::kLatest);
  ASSERT_OK(CommitAll(*database, OneStoreSink()));
  const std::string none = "\xff\xff\xff\xff";
  const auto rows = ScanAll(database, 0);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].first, Prefix(0) + "k");
  EXPECT_EQ(rows[0].second, TimestampBytes(3'000) + TimestampBytes(1'000) + TimestampBytes(2'000) + none +
                                TimestampBytes(1'000) + std::string("\0\0\0\3", 4) + "one");
  EXPECT_EQ(rows[1].first, Prefix(1) + "k");
  EXPECT_EQ(rows[1].second, TimestampBytes(12'000) + TimestampBytes(3'000) + TimestampBytes(3'000) +
                                std::string("\0\0\0\5", 4) + "three");
  EXPECT_EQ(rows[2].first, std::string(8, '\xff') + "k");
  EXPECT_EQ(rows[2].second, TimestampBytes(12'000));
}

TEST(VersionHistory, EveryPutIsLoggedInOrderWithItsTime) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), OneVersionedStore(folder / "db"));
  const auto sink = OneStoreSink();
  Put(*database, "b", "1", 5'000);
  Put(*database, "a", "2", 4'000);
  Put(*database, "b", "3", 5'000);
  Put(*database, "b", std::nullopt, 100'000);
  EXPECT_EQ(Put(*database, "b", "late", 39'999), VersionHistory::kNotPut);
  // Known already, but put.
  Put(*database, "b", std::nullopt, 100'000);
  ASSERT_OK(CommitAll(*database, sink));
  std::vector<std::string> logged;
  for (const auto& record : sink->log(0))
    logged.push_back(record.key + record.value.value_or("-") + "@" + std::to_string(record.timestamp_ms));
  EXPECT_EQ(logged, (std::vector<std::string>{"b1@5000", "a2@4000", "b3@5000", "b-@100000", "b-@100000"}));
  EXPECT_EQ(database->Offsets()[0].offset, 5);
  ASSERT_OK(CommitAll(*database, sink));
  EXPECT_EQ(sink->log(0).size(), 5u);
}

TEST(VersionHistory, OldSegmentsGoWholeAndLatestVersionsStay) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, OneVersionedStore(folder / "db"));
  const auto sink = OneStoreSink();
  Put(*database, "kept", "old", 1'000);
  Put(*database, "k", "old", 1'000);
  Put(*database, "k", "new", 5'000);
  ASSERT_OK(CommitAll(*database, sink));
  EXPECT_EQ(ScanAll(database, 0).size(), 3u);
  Put(*database, "other", "v", 75'000);
  ASSERT_OK(CommitAll(*database, sink));
  EXPECT_EQ(ScanAll(database, 0).size(), 3u);
  EXPECT_EQ(Get(*database, "k", 1'000), "none");
  EXPECT_EQ(Get(*database, "kept", 1'000), "old@1000--1");
  database.reset();
  database = OpenDatabase(memory, OneVersionedStore(folder / "db"));
  EXPECT_EQ(Get(*database, "k"), "new@5000--1");
  EXPECT_EQ(Put(*database, "k", "late", 14'999), VersionHistory::kNotPut);
  EXPECT_EQ(Put(*database, "k", "newer", 15'000), VersionHistory::kLatest);
}

TEST(VersionHistory, ADiscardForgetsPutsAndTheirLog) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  const auto database = OpenDatabase(memory, OneVersionedStore(folder / "db"));
  const auto sink = OneStoreSink();
  Put(*database, "k", "1", 5'000);
  EXPECT_GT(memory->Usage().overlay_bytes, 0);
  ASSERT_OK(database->Discard());
  EXPECT_EQ(memory->Usage().overlay_bytes, 0);
  EXPECT_EQ(Get(*database, "k"), "none");
  ASSERT_OK(CommitAll(*database, sink));
  EXPECT_EQ(sink->log(0).size(), 0u);
}

TEST(VersionHistory, ARowThatGrowsTakesMemoryForItsLength) {
  TemporaryFolder folder;
  TaskDatabaseOptions options = OneVersionedStore(folder / "db");
  options.stores[0].changelog_topic.reset();
  const auto memory = AcquireMemory();
  const auto database = OpenDatabase(memory, options);
  for (int64_t i = 0; i < 2'000; i++) Put(*database, "k", std::string(100, 'v'), i);
  EXPECT_LT(memory->Usage().overlay_bytes, 5 * 2'000 * 112);
  EXPECT_EQ(Get(*database, "k", 77), std::string(100, 'v') + "@77-78");
}

TEST(VersionHistory, WhatIsNoVersionIsRefused) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), OneVersionedStore(folder / "db"));
  EXPECT_EQ(PutOne(*database, 0, Prefix(0) + "k", "v").code(), "invalid");
  EXPECT_EQ(database->WriteRestored(0, {{"k", "v", 1}}, 1).code(), "invalid");
  EXPECT_EQ(database->PutVersion(1, "k", {1, "v"}).status().code(), "invalid");
  const auto plain = OpenDatabase(AcquireMemory(), ThreeStores(folder / "plain"));
  EXPECT_EQ(plain->PutVersion(0, "k", {1, "v"}).status().code(), "invalid");
  EXPECT_EQ(plain->GetVersion(0, "k", std::nullopt).status().code(), "invalid");
}

TEST(VersionHistory, ARowThatIsTooShortIsCorrupt) {
  EXPECT_EQ(VersionsRow::Of("short").status().code(), "rocksdb:Corruption");
  std::string row;
  VersionsRow::WriteOne({5, "value"}, 9, &row);
  ASSERT_TRUE(VersionsRow::Of(row).value().Find(6).ok());
  row.resize(row.size() - 1);
  EXPECT_EQ(VersionsRow::Of(row).value().Find(6).status().code(), "rocksdb:Corruption");
}

TEST(VersionedRestore, MakesTheRowsThatThePutsMade) {
  Random random;
  for (int round = 0; round < 10; round++) {
    TemporaryFolder folder;
    const auto memory = AcquireMemory();
    const auto log = RandomVersions(random, 1 + random.Below(2'000));
    const auto written = OpenDatabase(memory, OneVersionedStore(folder / "written"));
    const auto sink = OneStoreSink();
    for (size_t begin = 0; begin < log.size();) {
      const size_t end = std::min(log.size(), begin + 1 + random.Below(500));
      ASSERT_OK(PutAll(*written, log, begin, end));
      ASSERT_OK(CommitAll(*written, sink));
      begin = end;
    }
    // In batches, some of which are written in several steps, with a new start or a crash in between.
    auto restored = OpenDatabase(memory, OneVersionedStore(folder / "restored"));
    const size_t memory_bytes = random.OneIn(2) ? 2'000 : 1 << 20;
    const auto& changelog = sink->log(0);
    size_t begin = 0;
    while (begin < changelog.size()) {
      auto writer = NewRestoreWriter(*restored, 0, static_cast<int64_t>(changelog.size()), memory_bytes);
      ASSERT_TRUE(writer.ok());
      const size_t end = std::min(changelog.size(), begin + 1 + random.Below(700));
      ASSERT_OK(writer.value()->Write(WithOffsets(changelog, begin, end), static_cast<int64_t>(end)));
      begin = end;
      if (random.OneIn(3)) {
        if (random.OneIn(2)) ASSERT_OK(restored->Flush());
        ASSERT_OK(restored->CloseAsAfterCrash());
        restored = OpenDatabase(memory, OneVersionedStore(folder / "restored"));
        begin = static_cast<size_t>(std::max<int64_t>(restored->Offsets()[0].offset, 0));
      }
    }
    const auto writer = NewRestoreWriter(*restored, 0, 0, memory_bytes);
    ASSERT_OK(writer.value()->Finish(static_cast<int64_t>(changelog.size())));
    EXPECT_EQ(restored->Offsets()[0].offset, written->Offsets()[0].offset) << random.seed();
    EXPECT_EQ(restored->ObservedBy(0).value().stream_time_ms, written->ObservedBy(0).value().stream_time_ms);
    EXPECT_EQ(ScanAll(restored, 0), ScanAll(written, 0)) << "seed " << random.seed();
  }
}

TEST(VersionedRestore, AFailedStepLeavesTheOneBefore) {
  Random random;
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto restored = OpenDatabase(memory, OneVersionedStore(folder / "db"));
  const auto log = RandomVersions(random, 2'000);
  // So little memory that each record is a step.
  ASSERT_OK(restored->WriteRestoredVersions(0, WithOffsets(log, 0, 1'000), 1'000, 1));
  ASSERT_OK(restored->Flush());
  const auto rows = ScanAll(restored, 0);
  ASSERT_OK(restored->WriteRestoredVersions(0, WithOffsets(log, 1'000, 2'000), 2'000, 1));
  ASSERT_OK(restored->CloseAsAfterCrash());
  restored = OpenDatabase(memory, OneVersionedStore(folder / "db"));
  EXPECT_EQ(restored->Offsets()[0].offset, 1'000);
  EXPECT_EQ(ScanAll(restored, 0), rows);
}

}  // namespace
}  // namespace weir
