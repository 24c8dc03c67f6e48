#pragma once

// The one place that sets node-addon-api's switches; every file of native/binding includes this instead of
// napi.h.
#ifndef NAPI_VERSION
#define NAPI_VERSION 9
#endif
// Exceptions exist in native/binding alone: a wrong argument leaves a method by a Napi::Error. The core
// returns Status.
#ifndef NAPI_CPP_EXCEPTIONS
#define NAPI_CPP_EXCEPTIONS
#endif
// A worker that is being terminated takes no exceptions; without this, node-addon-api ends the process there.
#ifndef NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#endif

#include <napi.h>
