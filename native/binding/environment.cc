#include "binding/environment.h"

#include <atomic>

namespace weir {

namespace {

std::atomic<int> objects_alive{0};

}  // namespace

Environment::Object::Object(std::shared_ptr<Environment> environment) : environment_(std::move(environment)) {
  position_ = environment_->objects_.insert(environment_->objects_.end(), this);
  objects_alive.fetch_add(1, std::memory_order_relaxed);
}

int Environment::Object::Count() { return objects_alive.load(std::memory_order_relaxed); }

Environment::Object::~Object() {
  objects_alive.fetch_sub(1, std::memory_order_relaxed);
  if (listed_) environment_->objects_.erase(position_);
}

void Environment::Create(Napi::Env env) {
  auto environment = std::make_shared<Environment>(env);
  env.SetInstanceData(new std::shared_ptr<Environment>(environment));
  // Registered after AsyncRunner made its thread-safe function, so that it runs before Node closes that:
  // hooks run in reverse order.
  env.AddCleanupHook([environment] { environment->Teardown(); });
}

const std::shared_ptr<Environment>& Environment::Of(Napi::Env env) {
  return *env.GetInstanceData<std::shared_ptr<Environment>>();
}

Environment::Environment(Napi::Env env) : async_(env) {}

void Environment::AddClass(const std::string& name, Napi::Function constructor) {
  classes_.emplace(name, Napi::Persistent(constructor));
}

bool Environment::IsOf(const std::string& name, Napi::Object object) const {
  return object.InstanceOf(classes_.at(name).Value());
}

Napi::Object Environment::Construct(const std::string& name,
                                    const std::initializer_list<napi_value>& arguments) {
  return classes_.at(name).New(arguments);
}

void Environment::Teardown() {
  cancellation_.Cancel();
  while (!objects_.empty()) {
    Object* object = objects_.back();
    objects_.pop_back();
    object->listed_ = false;
    object->CloseForTeardown();
  }
  async_.Stop();
  classes_.clear();
}

}  // namespace weir
