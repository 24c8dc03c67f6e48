#pragma once

#include "binding/napi_setup.h"
#include "common/status.h"

namespace weir {

// Status -> NativeError of src/native/errors.ts: an Error with `code`, `retriable` and `fatal`.
// Threading: the environment's JS thread. REQUIRES everywhere: !status.ok() where a failure is converted.

// Null when the environment takes no calls any more.
napi_value ErrorValue(napi_env env, const Status& status);

// To be thrown: `throw Error(env, status)`.
Napi::Error Error(Napi::Env env, const Status& status);

// Throws when `status` is a failure.
void ThrowIfFailed(Napi::Env env, const Status& status);

// The value of `result`; throws its failure.
template <class T>
T Unwrap(Napi::Env env, Result<T> result) {
  ThrowIfFailed(env, result.ok() ? Status::Ok() : result.status());
  return std::move(result.value());
}

}  // namespace weir
