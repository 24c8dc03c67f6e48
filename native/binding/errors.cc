#include "binding/errors.h"

namespace weir {

namespace {

bool SetString(napi_env env, napi_value object, const char* name, const std::string& text) {
  napi_value value;
  return napi_create_string_utf8(env, text.data(), text.size(), &value) == napi_ok &&
         napi_set_named_property(env, object, name, value) == napi_ok;
}

bool SetBoolean(napi_env env, napi_value object, const char* name, bool flag) {
  napi_value value;
  return napi_get_boolean(env, flag, &value) == napi_ok &&
         napi_set_named_property(env, object, name, value) == napi_ok;
}

}  // namespace

napi_value ErrorValue(napi_env env, const Status& status) {
  napi_value message;
  napi_value error;
  if (napi_create_string_utf8(env, status.message().data(), status.message().size(), &message) != napi_ok ||
      napi_create_error(env, nullptr, message, &error) != napi_ok ||
      !SetString(env, error, "code", status.code()) ||
      !SetBoolean(env, error, "retriable", status.retriable()) ||
      !SetBoolean(env, error, "fatal", status.fatal())) {
    return nullptr;
  }
  return error;
}

Napi::Error Error(Napi::Env env, const Status& status) {
  const napi_value value = ErrorValue(env, status);
  if (value == nullptr) return Napi::Error::New(env, status.message());
  return Napi::Error(env, value);
}

void ThrowIfFailed(Napi::Env env, const Status& status) {
  if (!status.ok()) throw Error(env, status);
}

}  // namespace weir
