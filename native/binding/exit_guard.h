#pragma once

#include "binding/napi_setup.h"

namespace weir {

// Adds `endWithin(ms, exitCode)` to the exports: the process ends `ms` from then with `exitCode`, unless it has ended before.
//
// For the time after process.exit(): Node joins its workers and this addon its threads (environment.h), and a call that does not return,
// of a file system, a library or the user's own addon, would keep a process that has said why it ends. The end is _exit(): no hook of
// anybody runs, and what was written to standard output and error is out already.
void RegisterExitGuard(Napi::Env env, Napi::Object exports);

}  // namespace weir
