#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binding/napi_setup.h"

namespace weir {

// Memory of a JS argument. Valid during the call, and beyond it when the value is kept alive
// (AsyncRunner::Run).
template <class T>
struct Span {
  T* data;
  size_t length;  // in elements
};

using Bytes = Span<uint8_t>;

inline std::string_view View(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data), bytes.length};
}

// Reads a method's arguments by type. A wrong one throws a NativeError with code `invalid` that names the
// method, the argument and what is allowed. Each reader asks Node once for an argument: on the hot path read
// an argument once and keep the result.
//
// Threading: the JS thread, within the call.
class Arguments {
 public:
  static constexpr double kSafeIntegerMax = 9007199254740991.0;

  // `method` as users know it: "TaskDatabase.get".
  Arguments(const Napi::CallbackInfo& info, const char* method) : info_(info), method_(method) {}

  Napi::Env Env() const { return info_.Env(); }

  Bytes Buffer(size_t index, const char* name) const;
  // Nullopt when the argument is null.
  std::optional<Bytes> OptionalBuffer(size_t index, const char* name) const;
  Bytes ArrayBuffer(size_t index, const char* name) const;
  Span<int32_t> Int32Array(size_t index, const char* name) const;
  Span<double> Float64Array(size_t index, const char* name) const;

  // Int32Array of at least `columns` x `capacity` elements. REQUIRES: capacity >= 0.
  int32_t* Columns(size_t index, const char* name, size_t columns, size_t capacity) const;

  // An integer within [min, max].
  int64_t Integer(size_t index, const char* name, int64_t min = static_cast<int64_t>(-kSafeIntegerMax),
                  int64_t max = static_cast<int64_t>(kSafeIntegerMax)) const;
  size_t Size(size_t index, const char* name) const {
    return static_cast<size_t>(Integer(index, name, 0, std::numeric_limits<int32_t>::max()));
  }
  bool Boolean(size_t index, const char* name) const;
  std::string String(size_t index, const char* name) const;
  std::vector<std::string> Strings(size_t index, const char* name) const;
  Napi::Object Object(size_t index, const char* name) const;
  Napi::Array Array(size_t index, const char* name) const;
  Napi::Function Function(size_t index, const char* name) const;
  // An object of strings.
  std::map<std::string, std::string> StringMap(size_t index, const char* name) const;

  // Throws `invalid`: "<method>: argument <n> (<name>) must be <expected>".
  [[noreturn]] void Fail(size_t index, const char* name, const std::string& expected) const;

 private:
  const Napi::CallbackInfo& info_;
  const char* const method_;
};

// Reads the properties of one options object, and rejects those it does not know.
//
// Threading: the JS thread, within the call.
class Properties {
 public:
  // `where` begins each message: "StateMemory.acquire: options".
  Properties(Napi::Object object, std::string where) : object_(object), where_(std::move(where)) {}

  std::string String(const char* name);
  std::optional<std::string> OptionalString(const char* name);  // nullopt for null
  bool Boolean(const char* name);
  bool OptionalBoolean(const char* name);  // false when absent
  int64_t Integer(const char* name, int64_t min = static_cast<int64_t>(-Arguments::kSafeIntegerMax),
                  int64_t max = static_cast<int64_t>(Arguments::kSafeIntegerMax));
  // An integer that may be absent or undefined.
  std::optional<int64_t> OptionalInteger(const char* name, int64_t min, int64_t max);
  Napi::Array Array(const char* name);
  std::vector<std::string> Strings(const char* name);
  // Nullopt when absent or undefined.
  std::optional<Napi::Object> OptionalObject(const char* name);
  // Empty when absent.
  std::map<std::string, std::string> OptionalStringMap(const char* name);

  // Throws when the object has a property that no reader was asked for.
  void RejectUnknown() const;

 private:
  Napi::Value Get(const char* name);
  [[noreturn]] void Fail(const char* name, const std::string& expected) const;

  const Napi::Object object_;
  const std::string where_;
  std::vector<std::string> known_;
};

// Elements of an array of objects. Throws when one is no object. `where` begins the message.
Napi::Object ObjectAt(Napi::Array array, uint32_t index, const std::string& where);

// Reads an object whose values are all strings. Throws otherwise.
std::map<std::string, std::string> ReadStringMap(Napi::Object object, const std::string& where);

}  // namespace weir
