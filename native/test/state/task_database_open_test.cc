#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "state/task_database.h"
#include "test/state/state_support.h"

namespace weir {
namespace {

// A closed database with a committed row.
void WriteDatabase(const std::shared_ptr<StateMemory>& memory, const std::string& path) {
  const auto database = OpenDatabase(memory, ThreeStores(path));
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
}

TEST(TaskDatabase, StoresComeAndGo) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  auto database = OpenDatabase(memory, options);
  ASSERT_OK(PutOne(*database, 0, "a", "1"));
  ASSERT_OK(PutOne(*database, 2, "b", "2"));
  ASSERT_OK(CommitAll(*database, ThreeStoresSink()));
  database.reset();
  TaskDatabaseOptions other = options;
  other.stores = {{"fresh", false, std::nullopt}, options.stores[2]};
  database = OpenDatabase(memory, other);
  EXPECT_TRUE(ScanAll(database, 0).empty());
  EXPECT_EQ(GetOne(*database, 1, "b"), "2");
  database.reset();
  database = OpenDatabase(memory, options);
  EXPECT_EQ(GetOne(*database, 0, "a"), "1");
}

TEST(TaskDatabase, AFolderInUseIsNamed) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  const auto database = OpenDatabase(memory, ThreeStores(folder / "db"));
  const auto second = TaskDatabase::Open(memory, ThreeStores(folder / "db"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), "rocksdb:Busy");
  EXPECT_NE(second.status().message().find(folder / "db"), std::string::npos);
}

TEST(TaskDatabase, ADamagedDatabaseIsCorruption) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  WriteDatabase(memory, folder / "db");
  for (const auto& file : std::filesystem::directory_iterator(folder / "db")) {
    if (file.path().filename().string().rfind("MANIFEST", 0) == 0) {
      std::ofstream(file.path(), std::ios::binary | std::ios::trunc)
          << "this is not a manifest, but long enough to be read as one";
    }
  }
  EXPECT_EQ(TaskDatabase::Open(memory, ThreeStores(folder / "db")).status().code(), "rocksdb:Corruption");
}

TEST(TaskDatabase, AMissingFileIsCoded) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  WriteDatabase(memory, folder / "db");
  for (const auto& file : std::filesystem::directory_iterator(folder / "db")) {
    if (file.path().extension() == ".sst") std::filesystem::remove(file.path());
  }
  const auto opened = TaskDatabase::Open(memory, ThreeStores(folder / "db"));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), "rocksdb:Corruption");
}

TEST(TaskDatabase, RowsWithoutACurrentFileAreNotForgotten) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  WriteDatabase(memory, folder / "db");
  std::filesystem::remove(folder / "db" + "/CURRENT");
  EXPECT_EQ(TaskDatabase::Open(memory, ThreeStores(folder / "db")).status().code(), "rocksdb:Corruption");
}

TEST(TaskDatabase, AFolderThatCannotBeMadeIsCoded) {
  TemporaryFolder folder;
  std::ofstream(folder / "file") << "x";
  const auto opened = TaskDatabase::Open(AcquireMemory(), ThreeStores(folder / "file" + "/db"));
  EXPECT_EQ(opened.status().code(), "rocksdb:IOError");
}

TEST(TaskDatabase, OptionsCanBeOverridden) {
  TemporaryFolder folder;
  const auto memory = AcquireMemory();
  TaskDatabaseOptions options = ThreeStores(folder / "db");
  options.rocksdb = {{"compression", "kNoCompression"}, {"write_buffer_size", "1048576"}};
  EXPECT_NE(OpenDatabase(memory, options), nullptr);
  options.rocksdb = {{"no_such_option", "1"}};
  const auto refused = TaskDatabase::Open(memory, options);
  EXPECT_EQ(refused.status().code(), "invalid");
  EXPECT_NE(refused.status().message().find("no_such_option"), std::string::npos);
}

}  // namespace
}  // namespace weir
