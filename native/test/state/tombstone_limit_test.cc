#include "state/tombstone_limit.h"

#include <algorithm>
#include <string>
#include <thread>

#include "test/state/state_support.h"

namespace weir {
namespace {

// A store of numbered rows, of which the oldest are deleted as new ones come.
class Queue {
 public:
  Queue() : memory_(AcquireMemory()), database_(OpenDatabase(memory_, Options())) {}

  void Add(int rows) {
    for (int i = 0; i < rows; i++) Change(added_++, "value");
  }
  void Delete(int rows) {
    for (int i = 0; i < rows; i++) Change(deleted_++, std::nullopt);
  }
  // Writes one file, and waits for the compaction that it asks for, if it asks for one.
  void Flush() {
    ASSERT_TRUE(batch_.Apply(*database_, 0).ok());
    ASSERT_OK(CommitAll(*database_, sink_));
    ASSERT_OK(database_->Flush());
    while (Property("rocksdb.compaction-pending") > 0 || Property("rocksdb.num-running-compactions") > 0)
      std::this_thread::yield();
  }
  void Reopen() {
    ASSERT_OK(database_->Close());
    database_ = OpenDatabase(memory_, Options());
  }

  // What a scan of everything steps over.
  int64_t SkippedKeys(bool reverse) {
    const int64_t before = Count("scanSkippedKeys");
    const auto scan = database_->NewScan(0, std::nullopt, std::nullopt, reverse).value();
    auto rows = ReadScan(*scan, 256, 65536);
    if (reverse) std::reverse(rows.begin(), rows.end());
    EXPECT_EQ(rows, RowsOf(model_));
    scan->Close();
    return Count("scanSkippedKeys") - before;
  }
  int64_t Compactions() { return Count("compactions"); }

 private:
  TaskDatabaseOptions Options() { return ThreeStores(folder_ / "db"); }
  uint64_t Property(const std::string& name) { return database_->Property(name).value(); }

  void Change(int row, const std::optional<std::string>& value) {
    std::string key = std::to_string(row);
    key.insert(0, 8 - key.size(), '0');
    batch_.Put(key, value);
    if (value.has_value()) {
      model_[key] = *value;
    } else {
      model_.erase(key);
    }
  }

  int64_t Count(const std::string& name) {
    for (const RocksdbCount& count : memory_->Counts())
      if (name == count.name) return count.total;
    return -1;
  }

  TemporaryFolder folder_;
  const std::shared_ptr<StateMemory> memory_;
  const std::shared_ptr<RecordingSink> sink_ = ThreeStoresSink();
  std::shared_ptr<TaskDatabase> database_;
  ChangeBatch batch_;
  Model model_;
  int added_ = 0;
  int deleted_ = 0;
};

TEST(TombstoneLimit, ScansOfAQueueStepOverNothingThatWasFlushed) {
  Queue queue;
  queue.Add(2'000);
  queue.Flush();
  EXPECT_EQ(queue.Compactions(), 0);
  for (int round = 1; round <= 5; round++) {
    queue.Add(1'500);
    queue.Delete(1'500);
    queue.Flush();
    EXPECT_EQ(queue.Compactions(), round);
    EXPECT_EQ(queue.SkippedKeys(/*reverse=*/true), 0);
    EXPECT_EQ(queue.SkippedKeys(/*reverse=*/false), 0);
  }
}

TEST(TombstoneLimit, DeletionsWaitUntilTheyAreHalfAsManyAsTheRowsBelow) {
  Queue queue;
  queue.Add(20'000);
  queue.Flush();
  queue.Delete(2'000);
  queue.Flush();
  EXPECT_EQ(queue.Compactions(), 1) << "nothing is below";
  for (int deletions = 3'000; deletions < 9'000; deletions += 3'000) {
    queue.Delete(3'000);
    queue.Flush();
    EXPECT_EQ(queue.Compactions(), 1) << deletions;
    // Each deletion, and the row that it hides.
    EXPECT_EQ(queue.SkippedKeys(/*reverse=*/false), 2 * deletions);
  }
  queue.Delete(2'999);
  queue.Flush();
  EXPECT_EQ(queue.Compactions(), 1) << "8,999 of 18,000";
  queue.Delete(1);
  queue.Flush();
  EXPECT_EQ(queue.Compactions(), 2);
  EXPECT_EQ(queue.SkippedKeys(/*reverse=*/false), 0);
}

TEST(TombstoneLimit, FewDeletionsWait) {
  Queue queue;
  queue.Add(100);
  queue.Flush();
  queue.Delete(99);
  queue.Flush();
  EXPECT_EQ(queue.Compactions(), 0);
}

TEST(TombstoneLimit, RowsThatWereThereWhenTheDatabaseWasOpenedAreEstimated) {
  Queue queue;
  queue.Add(20'000);
  queue.Flush();
  queue.Delete(2'000);
  queue.Flush();
  EXPECT_EQ(queue.Compactions(), 1);
  queue.Reopen();
  queue.Delete(9'000);
  queue.Flush();
  EXPECT_EQ(queue.Compactions(), 2);
  EXPECT_EQ(queue.SkippedKeys(/*reverse=*/true), 0);
}

}  // namespace
}  // namespace weir
