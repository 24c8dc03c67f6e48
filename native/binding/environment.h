#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "binding/async.h"
#include "binding/napi_setup.h"
#include "common/cancellation.h"

namespace weir {

// What the addon keeps for one Node environment (the main thread or a worker): its native threads, its open
// objects, its classes.
//
// Ownership: the environment's instance data and every wrapped object share it, since Node finalizes them in
// no promised order. Threading: the environment's JS thread, but for `cancellation()`, which may be copied
// and read anywhere.
//
// When the environment ends (worker.terminate(), process.exit(), the end of the script), a cleanup hook runs
// Teardown:
//   1. cancellation() is set, so that blocking calls return;
//   2. objects left open are closed, the youngest first;
//   3. the native threads are joined, after which no argument buffer is in use;
//   4. results that came too late are dropped, references are released.
// Nothing calls into JavaScript from 1 on.
class Environment {
 public:
  // An object with native state that has to end with its environment. A base class of the wrapped classes.
  //
  // Its methods run on the JS thread. CloseForTeardown may be called while a native thread works on the
  // object's core: cores are held by shared_ptr, and end with the last holder.
  class Object {
   public:
    explicit Object(std::shared_ptr<Environment> environment);
    virtual ~Object();
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;

    virtual void CloseForTeardown() = 0;

    // Objects of all environments that are alive. Any thread.
    static int Count();

   protected:
    Environment& environment() const { return *environment_; }

   private:
    friend class Environment;
    const std::shared_ptr<Environment> environment_;
    std::list<Object*>::iterator position_;
    bool listed_ = true;
  };

  // Creates the environment's instance data. Called once, when the addon is loaded into an environment.
  static void Create(Napi::Env env);
  // REQUIRES: Create was called.
  static const std::shared_ptr<Environment>& Of(Napi::Env env);

  explicit Environment(Napi::Env env);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  const Cancellation& cancellation() const { return cancellation_; }
  AsyncRunner& async() { return async_; }

  // Classes by name: kept for objects that native code constructs, or tells apart.
  void AddClass(const std::string& name, Napi::Function constructor);
  bool IsOf(const std::string& name, Napi::Object object) const;
  Napi::Object Construct(const std::string& name, const std::initializer_list<napi_value>& arguments);

 private:
  void Teardown();

  Cancellation cancellation_;
  AsyncRunner async_;
  std::list<Object*> objects_;
  std::unordered_map<std::string, Napi::FunctionReference> classes_;
};

}  // namespace weir
