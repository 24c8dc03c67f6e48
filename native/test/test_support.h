#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>

#include "common/status.h"

// For tests: a failure of a Status with its message.
#define ASSERT_OK(expression)                                         \
  do {                                                                \
    const ::weir::Status assert_ok_status = (expression);             \
    ASSERT_TRUE(assert_ok_status.ok()) << assert_ok_status.message(); \
  } while (false)

namespace weir {

// A folder that is gone when the test ends.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "weir-test-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A random generator whose seed is printed when the test fails. WEIR_TEST_SEED repeats a run.
class Random {
 public:
  Random()
      : seed_(Seed()),
        engine_(seed_),
        trace_(__FILE__, __LINE__, "WEIR_TEST_SEED=" + std::to_string(seed_)) {}

  uint64_t seed() const { return seed_; }
  // 0 .. limit - 1
  size_t Below(size_t limit) { return std::uniform_int_distribution<size_t>(0, limit - 1)(engine_); }
  bool OneIn(size_t n) { return Below(n) == 0; }
  std::string Bytes(size_t length) {
    std::string bytes(length, '\0');
    for (char& byte : bytes) byte = static_cast<char>(Below(256));
    return bytes;
  }

 private:
  static uint64_t Seed() {
    const char* const given = std::getenv("WEIR_TEST_SEED");
    return given != nullptr ? std::stoull(given) : std::random_device{}();
  }

  uint64_t seed_;
  std::mt19937_64 engine_;
  ::testing::ScopedTrace trace_;
};

}  // namespace weir
