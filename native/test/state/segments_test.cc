#include "state/segments.h"

#include <gtest/gtest.h>

#include "state/offsets.h"
#include "test/state/state_support.h"

namespace weir {
namespace {

constexpr SegmentSettings kSettings{120'000, 60'000, SegmentSettings::kWindowSuffixBytes};

TaskDatabaseOptions OneWindowStore(const std::string& path) {
  return {path, 0, {{"windows", false, "windows-log", false, kSettings}}, 1'000'000, 3'600'000, {}};
}

std::shared_ptr<RecordingSink> OneStoreSink() {
  return std::make_shared<RecordingSink>(std::vector<std::string>{"windows-log"});
}

std::string ChangelogKey(const std::string& key, int64_t time_ms, int32_t sequence = 0) {
  std::string suffix(12, '\0');
  PutInt64(suffix.data(), time_ms);
  for (int byte = 0; byte < 4; byte++)
    suffix[8 + static_cast<size_t>(byte)] = static_cast<char>(sequence >> (24 - 8 * byte));
  return key + suffix;
}

std::string StoredKey(const std::string& key, int64_t time_ms, int32_t sequence = 0) {
  return SegmentPrefix(time_ms / kSettings.interval_ms) + ChangelogKey(key, time_ms, sequence);
}

Observed WhatIsObserved(TaskDatabase& database) { return database.ObservedBy(0).value(); }

TEST(Segments, TheChangelogHasNoPrefix) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), OneWindowStore(folder / "db"));
  const auto sink = OneStoreSink();
  ASSERT_OK(PutOne(*database, 0, StoredKey("a", 70'000, 3), "1"));
  ASSERT_OK(CommitAll(*database, sink));
  ASSERT_EQ(sink->log(0).size(), 1u);
  EXPECT_EQ(sink->log(0)[0].key, ChangelogKey("a", 70'000, 3));
  EXPECT_EQ(WhatIsObserved(*database).stream_time_ms, 70'000);
  EXPECT_EQ(WhatIsObserved(*database).sequence, 3);
}

TEST(Segments, AKeyOutsideItsSegmentIsRefused) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), OneWindowStore(folder / "db"));
  EXPECT_EQ(PutOne(*database, 0, "short", "1").code(), "invalid");
  EXPECT_EQ(PutOne(*database, 0, SegmentPrefix(2) + ChangelogKey("a", 70'000), "1").code(), "invalid");
}

TEST(Segments, OldOnesGoWholeOnDiskAndUnwritten) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  auto database = OpenDatabase(memory, OneWindowStore(folder / "db"));
  const auto sink = OneStoreSink();
  for (int64_t minute = 0; minute < 3; minute++)
    ASSERT_OK(PutOne(*database, 0, StoredKey("a", minute * 60'000), "1"));
  ASSERT_OK(CommitAll(*database, sink));
  EXPECT_EQ(ScanAll(database, 0).size(), 3u);

  // Not written yet when it expires.
  ASSERT_OK(PutOne(*database, 0, StoredKey("b", 60'000), "1"));
  ASSERT_OK(PutOne(*database, 0, StoredKey("a", 240'000), "1"));
  ASSERT_OK(CommitAll(*database, sink));
  EXPECT_EQ(sink->log(0).size(), 4u);
  const auto rows = ScanAll(database, 0);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].first, StoredKey("a", 120'000));
  EXPECT_EQ(rows[1].first, StoredKey("a", 240'000));

  database.reset();
  database = OpenDatabase(memory, OneWindowStore(folder / "db"));
  EXPECT_EQ(WhatIsObserved(*database).stream_time_ms, 240'000);
  EXPECT_EQ(ScanAll(database, 0).size(), 2u);
}

TEST(Segments, WhatIsDiscardedWasNotSeen) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), OneWindowStore(folder / "db"));
  ASSERT_OK(PutOne(*database, 0, StoredKey("a", 0), "1"));
  ASSERT_OK(CommitAll(*database, OneStoreSink()));
  ASSERT_OK(PutOne(*database, 0, StoredKey("a", 600'000), "1"));
  ASSERT_OK(database->Discard());
  ASSERT_OK(CommitAll(*database, OneStoreSink()));
  EXPECT_EQ(WhatIsObserved(*database).stream_time_ms, 0);
  EXPECT_EQ(ScanAll(database, 0).size(), 1u);
}

TEST(Segments, ARestorePutsThePrefixBackAndDropsWhatExpired) {
  TemporaryFolder folder;
  const auto database = OpenDatabase(AcquireMemory(), OneWindowStore(folder / "db"));
  const std::string first = ChangelogKey("a", 0);
  const std::string second = ChangelogKey("b", 60'000, 7);
  const std::string third = ChangelogKey("a", 200'000, 8);
  ASSERT_OK(database->WriteRestored(0, {{first, "1", 5}, {second, "2", 5}}, 2));
  EXPECT_EQ(ScanAll(database, 0).size(), 2u);
  ASSERT_OK(database->WriteRestored(0, {{third, "3", 5}}, 3));
  const auto rows = ScanAll(database, 0);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].first, StoredKey("b", 60'000, 7));
  EXPECT_EQ(rows[1].first, StoredKey("a", 200'000, 8));
  ASSERT_OK(database->WriteRestored(0, {{first, "1", 5}}, 4));
  EXPECT_EQ(ScanAll(database, 0).size(), 2u);
  // A commit without changes keeps what the restore has seen.
  ASSERT_OK(CommitAll(*database, OneStoreSink()));
  EXPECT_EQ(WhatIsObserved(*database).stream_time_ms, 200'000);
  EXPECT_EQ(WhatIsObserved(*database).sequence, 8);

  EXPECT_EQ(database->WriteRestored(0, {{"short", "1", 5}}, 5).code(), "invalid");
  ASSERT_OK(database->ClearStore(0));
  EXPECT_EQ(WhatIsObserved(*database).stream_time_ms, -1);
  EXPECT_EQ(ScanAll(database, 0).size(), 0u);
}

TEST(Segments, SequencesGoRound) {
  Observed observed;
  observed.Add(kSettings, ChangelogKey("a", 1, 0x7fffffff));
  EXPECT_EQ(observed.sequence, 0) << "half of a round and more lies behind";
  observed.sequence = 0x7ffffff0;
  observed.Add(kSettings, ChangelogKey("a", 1, 0x7fffffff));
  EXPECT_EQ(observed.sequence, 0x7fffffff);
  observed.Add(kSettings, ChangelogKey("a", 1, 2));
  EXPECT_EQ(observed.sequence, 2);
  observed.Add(kSettings, ChangelogKey("a", 1, 0x7fffffff));
  EXPECT_EQ(observed.sequence, 2);
}

TEST(Segments, ASessionIsKeptByItsEnd) {
  const SegmentSettings sessions{120'000, 60'000, SegmentSettings::kSessionSuffixBytes};
  std::string key = "a" + std::string(16, '\0');
  PutInt64(key.data() + 1, 130'000);
  PutInt64(key.data() + 9, 7);
  Observed observed;
  observed.Add(sessions, key);
  EXPECT_EQ(observed.stream_time_ms, 130'000);
  EXPECT_EQ(observed.sequence, 0);
  EXPECT_TRUE(sessions.IsStoredKey(SegmentPrefix(2) + key));
  EXPECT_FALSE(sessions.IsStoredKey(SegmentPrefix(1) + key));
}

TEST(Segments, WhatIsWrittenIsReadBack) {
  const Observed observed{1'700'000'000'123, 0x7fffffff};
  const auto read = DecodeObserved("s", EncodeObserved(observed, kSettings), kSettings);
  ASSERT_TRUE(read.ok() && read.value().has_value());
  EXPECT_TRUE(*read.value() == observed);
  EXPECT_EQ(DecodeObserved("s", "short", kSettings).status().code(), "rocksdb:Corruption");
}

TEST(Segments, RowsOfOtherSegmentsAreRestoredFromTheBeginning) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  TaskDatabaseOptions options = OneWindowStore(folder / "db");
  {
    const auto database = OpenDatabase(memory, options);
    ASSERT_OK(PutOne(*database, 0, StoredKey("a", 200'000), "1"));
    ASSERT_OK(CommitAll(*database, OneStoreSink()));
  }
  EXPECT_EQ(OpenDatabase(memory, options)->Offsets()[0].offset, 1);
  options.stores[0].segments->interval_ms = 90'000;
  {
    const auto database = OpenDatabase(memory, options);
    EXPECT_EQ(database->Offsets()[0].offset, -1);
    EXPECT_EQ(WhatIsObserved(*database).stream_time_ms, -1);
    EXPECT_EQ(ScanAll(database, 0).size(), 0u);
  }
}

TEST(Segments, RowsOfAPlainStoreAreRestoredFromTheBeginning) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  TaskDatabaseOptions options = OneWindowStore(folder / "db");
  options.stores[0].segments.reset();
  {
    const auto database = OpenDatabase(memory, options);
    ASSERT_OK(PutOne(*database, 0, "a", "1"));
    ASSERT_OK(CommitAll(*database, OneStoreSink()));
  }
  const auto database = OpenDatabase(memory, OneWindowStore(folder / "db"));
  EXPECT_EQ(database->Offsets()[0].offset, -1);
  EXPECT_EQ(ScanAll(database, 0).size(), 0u);
}

}  // namespace
}  // namespace weir
