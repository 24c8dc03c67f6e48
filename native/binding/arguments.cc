#include "binding/arguments.h"

#include <algorithm>
#include <cmath>

#include "binding/errors.h"

namespace weir {

namespace {

[[noreturn]] void ThrowInvalid(Napi::Env env, std::string message) {
  throw Error(env, Status::Invalid(std::move(message)));
}

bool ReadInteger(const Napi::Value& value, int64_t min, int64_t max, int64_t* out) {
  double number;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok) return false;
  if (std::trunc(number) != number || number < static_cast<double>(min) || number > static_cast<double>(max))
    return false;
  *out = static_cast<int64_t>(number);
  return true;
}

std::string IntegerRange(int64_t min, int64_t max) {
  return "an integer from " + std::to_string(min) + " to " + std::to_string(max);
}

bool ReadStrings(const Napi::Value& value, std::vector<std::string>* out) {
  if (!value.IsArray()) return false;
  const Napi::Array array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value element = array.Get(i);
    if (!element.IsString()) return false;
    out->push_back(element.As<Napi::String>().Utf8Value());
  }
  return true;
}

}  // namespace

void Arguments::Fail(size_t index, const char* name, const std::string& expected) const {
  ThrowInvalid(info_.Env(), std::string(method_) + ": argument " + std::to_string(index + 1) + " (" + name +
                                ") must be " + expected);
}

Bytes Arguments::Buffer(size_t index, const char* name) const {
  void* data;
  size_t length;
  if (napi_get_buffer_info(info_.Env(), info_[index], &data, &length) != napi_ok)
    Fail(index, name, "a Buffer");
  return {static_cast<uint8_t*>(data), length};
}

std::optional<Bytes> Arguments::OptionalBuffer(size_t index, const char* name) const {
  if (info_[index].IsNull()) return std::nullopt;
  return Buffer(index, name);
}

Bytes Arguments::ArrayBuffer(size_t index, const char* name) const {
  void* data;
  size_t length;
  if (napi_get_arraybuffer_info(info_.Env(), info_[index], &data, &length) != napi_ok)
    Fail(index, name, "an ArrayBuffer");
  return {static_cast<uint8_t*>(data), length};
}

Span<int32_t> Arguments::Int32Array(size_t index, const char* name) const {
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(info_.Env(), info_[index], &type, &length, &data, nullptr, nullptr) !=
          napi_ok ||
      type != napi_int32_array) {
    Fail(index, name, "an Int32Array");
  }
  return {static_cast<int32_t*>(data), length};
}

Span<double> Arguments::Float64Array(size_t index, const char* name) const {
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(info_.Env(), info_[index], &type, &length, &data, nullptr, nullptr) !=
          napi_ok ||
      type != napi_float64_array) {
    Fail(index, name, "a Float64Array");
  }
  return {static_cast<double*>(data), length};
}

int32_t* Arguments::Columns(size_t index, const char* name, size_t columns, size_t capacity) const {
  const Span<int32_t> array = Int32Array(index, name);
  if (array.length < columns * capacity) {
    Fail(index, name,
         "an Int32Array of at least " + std::to_string(columns) + " x " + std::to_string(capacity) +
             " elements");
  }
  return array.data;
}

int64_t Arguments::Integer(size_t index, const char* name, int64_t min, int64_t max) const {
  int64_t value;
  if (!ReadInteger(info_[index], min, max, &value)) Fail(index, name, IntegerRange(min, max));
  return value;
}

bool Arguments::Boolean(size_t index, const char* name) const {
  bool value;
  if (napi_get_value_bool(info_.Env(), info_[index], &value) != napi_ok) Fail(index, name, "a boolean");
  return value;
}

std::string Arguments::String(size_t index, const char* name) const {
  if (!info_[index].IsString()) Fail(index, name, "a string");
  return info_[index].As<Napi::String>().Utf8Value();
}

std::vector<std::string> Arguments::Strings(size_t index, const char* name) const {
  std::vector<std::string> strings;
  if (!ReadStrings(info_[index], &strings)) Fail(index, name, "an array of strings");
  return strings;
}

Napi::Object Arguments::Object(size_t index, const char* name) const {
  if (!info_[index].IsObject()) Fail(index, name, "an object");
  return info_[index].As<Napi::Object>();
}

Napi::Array Arguments::Array(size_t index, const char* name) const {
  if (!info_[index].IsArray()) Fail(index, name, "an array");
  return info_[index].As<Napi::Array>();
}

Napi::Function Arguments::Function(size_t index, const char* name) const {
  if (!info_[index].IsFunction()) Fail(index, name, "a function");
  return info_[index].As<Napi::Function>();
}

std::map<std::string, std::string> Arguments::StringMap(size_t index, const char* name) const {
  return ReadStringMap(Object(index, name), std::string(method_) + ": " + name);
}

Napi::Value Properties::Get(const char* name) {
  known_.emplace_back(name);
  return object_.Get(name);
}

void Properties::Fail(const char* name, const std::string& expected) const {
  ThrowInvalid(object_.Env(), where_ + "." + name + " must be " + expected);
}

std::string Properties::String(const char* name) {
  const Napi::Value value = Get(name);
  if (!value.IsString()) Fail(name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

std::optional<std::string> Properties::OptionalString(const char* name) {
  const Napi::Value value = Get(name);
  if (value.IsNull()) return std::nullopt;
  if (!value.IsString()) Fail(name, "a string or null");
  return value.As<Napi::String>().Utf8Value();
}

bool Properties::Boolean(const char* name) {
  const Napi::Value value = Get(name);
  if (!value.IsBoolean()) Fail(name, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

bool Properties::OptionalBoolean(const char* name) {
  const Napi::Value value = Get(name);
  if (value.IsUndefined()) return false;
  if (!value.IsBoolean()) Fail(name, "a boolean");
  return value.As<Napi::Boolean>().Value();
}

int64_t Properties::Integer(const char* name, int64_t min, int64_t max) {
  int64_t value;
  if (!ReadInteger(Get(name), min, max, &value)) Fail(name, IntegerRange(min, max));
  return value;
}

std::optional<int64_t> Properties::OptionalInteger(const char* name, int64_t min, int64_t max) {
  const Napi::Value value = Get(name);
  if (value.IsUndefined()) return std::nullopt;
  int64_t integer;
  if (!ReadInteger(value, min, max, &integer)) Fail(name, IntegerRange(min, max));
  return integer;
}

Napi::Array Properties::Array(const char* name) {
  const Napi::Value value = Get(name);
  if (!value.IsArray()) Fail(name, "an array");
  return value.As<Napi::Array>();
}

std::vector<std::string> Properties::Strings(const char* name) {
  std::vector<std::string> strings;
  if (!ReadStrings(Get(name), &strings)) Fail(name, "an array of strings");
  return strings;
}

std::optional<Napi::Object> Properties::OptionalObject(const char* name) {
  const Napi::Value value = Get(name);
  if (value.IsUndefined()) return std::nullopt;
  if (!value.IsObject()) Fail(name, "an object");
  return value.As<Napi::Object>();
}

std::map<std::string, std::string> Properties::OptionalStringMap(const char* name) {
  const Napi::Value value = Get(name);
  if (value.IsUndefined()) return {};
  if (!value.IsObject()) Fail(name, "an object");
  return ReadStringMap(value.As<Napi::Object>(), where_ + "." + name);
}

void Properties::RejectUnknown() const {
  const Napi::Array names = object_.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); i++) {
    const std::string name = names.Get(i).ToString().Utf8Value();
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    std::string allowed;
    for (const std::string& known : known_) allowed += (allowed.empty() ? "" : ", ") + known;
    ThrowInvalid(object_.Env(), where_ + " has an unknown property " + name + "; allowed: " + allowed);
  }
}

Napi::Object ObjectAt(Napi::Array array, uint32_t index, const std::string& where) {
  const Napi::Value value = array.Get(index);
  if (!value.IsObject())
    ThrowInvalid(array.Env(), where + "[" + std::to_string(index) + "] must be an object");
  return value.As<Napi::Object>();
}

std::map<std::string, std::string> ReadStringMap(Napi::Object object, const std::string& where) {
  std::map<std::string, std::string> map;
  const Napi::Array names = object.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); i++) {
    const std::string name = names.Get(i).ToString().Utf8Value();
    const Napi::Value value = object.Get(name);
    if (!value.IsString()) ThrowInvalid(object.Env(), where + "." + name + " must be a string");
    map.emplace(name, value.As<Napi::String>().Utf8Value());
  }
  return map;
}

}  // namespace weir
