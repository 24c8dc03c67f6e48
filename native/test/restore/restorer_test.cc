#include "restore/restorer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <thread>

#include "produce/producer.h"
#include "test/restore/restore_support.h"
#include "testing/mock_cluster.h"

namespace weir {
namespace {

// A cluster with the changelogs of ThreeStores, and what was produced to them. librdkafka's mock knows
// neither transactions nor compaction: those are tested on real brokers.
class RestorerTest : public ::testing::Test {
 protected:
  static constexpr int kPartition = 3;

  void SetUp() override {
    Result<std::unique_ptr<MockCluster>> cluster = MockCluster::Start(1);
    ASSERT_TRUE(cluster.ok()) << cluster.status().message();
    cluster_ = std::move(cluster.value());
    ASSERT_OK(cluster_->CreateTopic("plain-log", 4));
    ASSERT_OK(cluster_->CreateTopic("timed-log", 4));
    config_ = {{"bootstrap.servers", cluster_->BootstrapServers()}, {"group.id", "app"}};
    Result<std::shared_ptr<Producer>> producer =
        Producer::Create({{"bootstrap.servers", cluster_->BootstrapServers()}}, Cancellation());
    ASSERT_TRUE(producer.ok()) << producer.status().message();
    producer_ = producer.value();
    ASSERT_TRUE(producer_->Topic("plain-log", 4).ok());
    ASSERT_TRUE(producer_->Topic("timed-log", 4).ok());
  }

  void Produce(int topic, const std::string& key, const std::optional<std::string>& value,
               int64_t timestamp_ms) {
    logs_[topic].push_back({key, value, timestamp_ms});
    ASSERT_OK(producer_->Append(topic, kPartition, key,
                                value.has_value() ? std::optional<std::string_view>(*value) : std::nullopt,
                                "", timestamp_ms));
  }

  void ProduceSome(Random& random, int count) {
    for (int i = 0; i < count; i++) {
      const int topic = static_cast<int>(random.Below(2));
      Produce(topic, std::to_string(random.Below(500)),
              random.OneIn(4) ? std::nullopt : std::optional(random.Bytes(random.Below(100))),
              static_cast<int64_t>(1 + random.Below(1'000'000'000)));
    }
    ASSERT_OK(producer_->Flush(30'000));
  }

  std::shared_ptr<Restorer> AcquireRestorer(int threads = 2) {
    Result<std::shared_ptr<Restorer>> restorer = Restorer::Acquire(config_, threads, memory_bytes_);
    EXPECT_TRUE(restorer.ok()) << restorer.status().message();
    return restorer.value();
  }

  // Restores both logged stores from where they stand (or from the beginning).
  std::vector<RestoreRequest> Requests(const TaskDatabase& database, bool anew = false) {
    const std::vector<StoreOffset> offsets = database.Offsets();
    return {{0, "plain-log", kPartition, anew ? -1 : offsets[0].offset},
            {1, "timed-log", kPartition, anew ? -1 : offsets[1].offset}};
  }

  Status Restore(const std::shared_ptr<TaskDatabase>& database, std::vector<RestoreRequest> requests,
                 std::vector<RestoreProgress>* progress = nullptr) {
    const auto restorer = AcquireRestorer();
    std::promise<Status> done;
    const auto job = restorer->Start(database, std::move(requests),
                                     [&done](Status status) { done.set_value(std::move(status)); });
    Status status = done.get_future().get();
    if (progress != nullptr) *progress = job->Progress();
    return status;
  }

  void ExpectRestored(const std::shared_ptr<TaskDatabase>& database) {
    for (size_t store = 0; store < 2; store++) {
      const auto found = ScanAll(database, store);
      const auto expected =
          RowsOf(Replay(logs_[store], static_cast<int64_t>(logs_[store].size()), store == 1));
      // The first difference says more than thousands of rows.
      EXPECT_EQ(found.size(), expected.size()) << "store " << store;
      for (size_t i = 0; i < std::min(found.size(), expected.size()); i++) ASSERT_EQ(found[i], expected[i]);
      EXPECT_EQ(database->Offsets()[store].offset, static_cast<int64_t>(logs_[store].size()));
    }
  }

  std::unique_ptr<MockCluster> cluster_;
  KafkaConfig config_;
  size_t memory_bytes_ = 64 << 20;
  std::shared_ptr<Producer> producer_;
  std::vector<RecordingSink::Record> logs_[2];
};

TEST_F(RestorerTest, RestoresAnewAndFromWhereTheStoresStand) {
  Random random;
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  ProduceSome(random, 20'000);
  std::vector<RestoreProgress> progress;
  ASSERT_OK(Restore(database, Requests(*database), &progress));
  ExpectRestored(database);
  for (size_t store = 0; store < 2; store++) {
    EXPECT_EQ(progress[store].restored_records, static_cast<int64_t>(logs_[store].size()));
    EXPECT_EQ(progress[store].begin, 0);
    EXPECT_EQ(progress[store].end, static_cast<int64_t>(logs_[store].size()));
    EXPECT_EQ(progress[store].position, progress[store].end);
  }
  // The rest only.
  const size_t before = logs_[0].size();
  ProduceSome(random, 5'000);
  ASSERT_OK(Restore(database, Requests(*database), &progress));
  ExpectRestored(database);
  EXPECT_EQ(progress[0].restored_records, static_cast<int64_t>(logs_[0].size() - before));
  EXPECT_EQ(progress[0].begin, static_cast<int64_t>(before));
  // Nothing.
  ASSERT_OK(Restore(database, Requests(*database), &progress));
  EXPECT_EQ(progress[0].restored_records, 0);
  ExpectRestored(database);
}

TEST_F(RestorerTest, FromTheBeginningRemovesWhatWasThere) {
  Random random;
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  ProduceSome(random, 1'000);
  ASSERT_OK(PutOne(*database, 0, "of another time", "x"));
  ASSERT_OK(PutOne(*database, 2, "unlogged", "y"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  ASSERT_OK(Restore(database, Requests(*database, /*anew=*/true)));
  ExpectRestored(database);
  EXPECT_EQ(GetOne(*database, 2, "unlogged"), "y");
}

// Up to where the task was committed; the rows of the keys beyond that are told to the changelog again.
TEST_F(RestorerTest, TakingOverAppliesWhatWasCommittedAndSaysTheRestAgain) {
  Random random;
  for (const int records : {300, 60'000}) {
    TemporaryFolder folder;
    const auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
    ProduceSome(random, records);
    const std::vector<int64_t> committed{static_cast<int64_t>(logs_[0].size()),
                                         static_cast<int64_t>(logs_[1].size())};
    const std::vector<Model> rows{Replay(logs_[0], committed[0], false),
                                  Replay(logs_[1], committed[1], true)};
    ProduceSome(random, 200);
    std::vector<RestoreRequest> requests = Requests(*database);
    for (size_t store = 0; store < 2; store++) {
      requests[store].until = committed[store];
      requests[store].takes_over = true;
    }
    ASSERT_OK(Restore(database, requests));
    for (size_t store = 0; store < 2; store++) {
      EXPECT_EQ(ScanAll(database, store), RowsOf(rows[store]));
      EXPECT_EQ(database->Offsets()[store].offset, committed[store]);
      EXPECT_EQ(database->ChangelogEnds()[store], committed[store]);
    }
    // What it says leaves a changelog that makes the same rows.
    const auto sink = ThreeStoresSink();
    for (size_t store = 0; store < 2; store++) sink->log(store) = logs_[store];
    ASSERT_OK(CommitAll(*database, sink));
    for (size_t store = 0; store < 2; store++) {
      const std::vector<RecordingSink::Record>& log = sink->log(store);
      EXPECT_GT(log.size(), logs_[store].size());
      EXPECT_EQ(Replay(log, static_cast<int64_t>(log.size()), store == 1), rows[store]);
      EXPECT_EQ(database->ChangelogEnds()[store], static_cast<int64_t>(log.size()));
    }
    for (auto& log : logs_) log.clear();
    TearDown();
    SetUp();
  }
}

TEST_F(RestorerTest, AnEmptyChangelogIsRestoredAtOnce) {
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  ASSERT_OK(database->SetTopicId("plain", "the-id"));
  ASSERT_OK(Restore(database, Requests(*database)));
  EXPECT_EQ(database->Offsets()[0].offset, 0);
  EXPECT_EQ(database->Offsets()[0].topic_id, "the-id");
}

TEST_F(RestorerTest, AnOffsetBeyondTheEndIsOutOfRange) {
  Random random;
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  ProduceSome(random, 100);
  EXPECT_EQ(Restore(database, {{0, "plain-log", kPartition, 1'000}}).code(), "kafka:_AUTO_OFFSET_RESET");
  EXPECT_EQ(database->Offsets()[0].offset, -1);
}

TEST_F(RestorerTest, StaleRowsAreUsedOnlyWhenNothingCameAfterThem) {
  Random random;
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  ProduceSome(random, 100);
  ASSERT_OK(Restore(database, Requests(*database)));
  const auto stale = [this, &database] {
    std::vector<RestoreRequest> requests = Requests(*database);
    for (RestoreRequest& request : requests) request.stale = true;
    return Restore(database, std::move(requests));
  };
  ASSERT_OK(stale());
  ExpectRestored(database);
  ProduceSome(random, 100);
  EXPECT_EQ(stale().code(), "stale");
  ASSERT_OK(Restore(database, Requests(*database, /*anew=*/true)));
  ExpectRestored(database);
}

TEST_F(RestorerTest, AMissingTopicIsNamed) {
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  const Status status = Restore(database, {{0, "no-such-log", kPartition, -1}});
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("no-such-log"), std::string::npos) << status.message();
}

TEST_F(RestorerTest, PassingBrokerErrorsAreSurvived) {
  Random random;
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  ProduceSome(random, 1'000);
  // Fetch, then ListOffsets.
  ASSERT_OK(cluster_->InjectErrors(1, {"NOT_LEADER_FOR_PARTITION", "_TRANSPORT"}));
  ASSERT_OK(cluster_->InjectErrors(2, {"NOT_LEADER_FOR_PARTITION"}));
  ASSERT_OK(Restore(database, Requests(*database)));
  ExpectRestored(database);
}

TEST_F(RestorerTest, AnEndThatIsNotAnsweredIsAskedForAgain) {
  Random random;
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  ProduceSome(random, 1'000);
  ASSERT_OK(Restore(database, Requests(*database)));
  ProduceSome(random, 10);
  // ListOffsets: the connection breaks. The end is then no offset at all, and not one before the local rows.
  ASSERT_OK(cluster_->InjectErrors(2, {"_TRANSPORT"}));
  ASSERT_OK(Restore(database, Requests(*database)));
  ExpectRestored(database);
}

TEST_F(RestorerTest, AStoppedJobEndsAndGoesOnLater) {
  Random random;
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  ProduceSome(random, 20'000);
  for (int i = 0; i < 10; i++) {
    const auto restorer = AcquireRestorer();
    std::promise<Status> done;
    const auto job = restorer->Start(database, Requests(*database),
                                     [&done](Status status) { done.set_value(std::move(status)); });
    std::this_thread::sleep_for(std::chrono::milliseconds(random.Below(20)));
    restorer->Stop(*job);
    job->Wait();
    const Status status = done.get_future().get();
    if (!status.ok()) {
      EXPECT_EQ(status.code(), "closed");
    }
  }
  ASSERT_OK(Restore(database, Requests(*database)));
  ExpectRestored(database);
}

// Small records: the mock keeps 5 MiB of a partition.
TEST_F(RestorerTest, ALongChangelogIsRestoredInBulk) {
  constexpr int64_t kRecords = kBulkRecordsMin + 20'000;
  Random random;
  TemporaryFolder folder;
  memory_bytes_ = 1 << 20;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  for (int64_t i = 0; i < kRecords; i++) {
    Produce(1, std::to_string(random.Below(30'000)),
            random.OneIn(4) ? std::nullopt : std::optional(random.Bytes(random.Below(6))), i + 1);
  }
  ProduceSome(random, 100);
  // Stopped somewhere, it leaves all or nothing.
  for (int i = 0; i < 4; i++) {
    const auto restorer = AcquireRestorer();
    std::promise<Status> done;
    const auto job = restorer->Start(database, Requests(*database),
                                     [&done](Status status) { done.set_value(std::move(status)); });
    std::this_thread::sleep_for(std::chrono::milliseconds(random.Below(150)));
    restorer->Stop(*job);
    job->Wait();
    const int64_t offset = database->Offsets()[1].offset;
    EXPECT_TRUE(offset == -1 || offset == static_cast<int64_t>(logs_[1].size())) << offset;
    EXPECT_EQ(offset == -1, ScanAll(database, 1).empty());
    EXPECT_FALSE(std::filesystem::exists(database->RestoreFolder(1)));
  }
  std::vector<RestoreProgress> progress;
  ASSERT_OK(Restore(database, Requests(*database, /*anew=*/true), &progress));
  ExpectRestored(database);
  EXPECT_EQ(progress[1].restored_records, static_cast<int64_t>(logs_[1].size()));
  EXPECT_EQ(progress[1].position, progress[1].end);
  // The tail goes the other way.
  ProduceSome(random, 1'000);
  ASSERT_OK(Restore(database, Requests(*database)));
  ExpectRestored(database);
  ASSERT_OK(database->CloseAsAfterCrash());
  ExpectFilesAtTheBottom(FilesOf(folder / "db", "store:timed"));
}

TEST_F(RestorerTest, ManyDatabasesAtOnce) {
  constexpr int kDatabases = 24;
  Random random;
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  ProduceSome(random, 5'000);
  const auto restorer = AcquireRestorer();
  std::vector<std::shared_ptr<TaskDatabase>> databases;
  std::vector<std::promise<Status>> done(kDatabases);
  std::vector<std::shared_ptr<RestoreJob>> jobs;
  for (int i = 0; i < kDatabases; i++) {
    databases.push_back(OpenDatabase(memory, ThreeStores(folder / std::to_string(i))));
    jobs.push_back(restorer->Start(databases[i], Requests(*databases[i]),
                                   [&done, i](Status status) { done[i].set_value(std::move(status)); }));
  }
  // One that waits for a place ends at once all the same.
  restorer->Stop(*jobs.back());
  jobs.back()->Wait();
  for (int i = 0; i + 1 < kDatabases; i++) {
    ASSERT_OK(done[i].get_future().get());
    ExpectRestored(databases[i]);
  }
}

TEST_F(RestorerTest, ItsEndEndsItsJobs) {
  Random random;
  TemporaryFolder folder;
  auto database = OpenDatabase(AcquireMemory(), ThreeStores(folder / "db"));
  ProduceSome(random, 20'000);
  auto restorer = AcquireRestorer();
  std::promise<Status> done;
  const auto job = restorer->Start(database, Requests(*database),
                                   [&done](Status status) { done.set_value(std::move(status)); });
  restorer.reset();
  const Status status = done.get_future().get();
  if (!status.ok()) {
    EXPECT_EQ(status.code(), "closed");
  }
}

TEST_F(RestorerTest, IsACountedSingleton) {
  const auto restorer = AcquireRestorer(2);
  EXPECT_EQ(AcquireRestorer(2).get(), restorer.get());
  EXPECT_EQ(Restorer::Acquire(config_, 3, memory_bytes_).status().code(), "invalid");
  KafkaConfig wrong = config_;
  wrong["no.such.setting"] = "1";
  EXPECT_EQ(Restorer::Acquire(wrong, 2, memory_bytes_).status().code(), "invalid");
}

}  // namespace
}  // namespace weir
