#include "binding/scan.h"

#include <optional>
#include <string_view>

#include "binding/errors.h"

namespace weir {

namespace {

std::optional<std::string_view> OptionalView(const std::optional<Bytes>& bytes) {
  return bytes.has_value() ? std::optional<std::string_view>(View(*bytes)) : std::nullopt;
}

}  // namespace

ScanObject::ScanObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ScanObject>(info), Environment::Object(Environment::Of(info.Env())) {}

void ScanObject::CloseForTeardown() {
  if (scan_ != nullptr) scan_->Close();
  scan_.reset();
}

Napi::Object ScanObject::Open(const Arguments& arguments, const std::shared_ptr<TaskDatabase>& database,
                              size_t store) {
  Napi::Object object = Environment::Of(arguments.Env())->Construct("Scan", {});
  ScanObject* const scan = ScanObject::Unwrap(object);
  scan->database_ = database;
  scan->store_ = store;
  scan->Begin(arguments, 1);
  return object;
}

void ScanObject::Begin(const Arguments& arguments, size_t first) {
  const auto from = OptionalView(arguments.OptionalBuffer(first, "from"));
  const auto to = OptionalView(arguments.OptionalBuffer(first + 1, "to"));
  const bool reverse = arguments.Boolean(first + 2, "reverse");
  if (scan_ != nullptr && scan_->Begin(from, to, reverse)) return;
  const std::shared_ptr<TaskDatabase> database = database_.lock();
  if (database == nullptr) throw Error(arguments.Env(), Status::Closed("The state database"));
  scan_ = weir::Unwrap(arguments.Env(), database->NewScan(store_, from, to, reverse));
}

Napi::Value ScanObject::Copy(const Arguments& arguments, size_t first) {
  if (scan_ == nullptr) throw Error(arguments.Env(), Status::Closed("The scan"));
  const Bytes out = arguments.Buffer(first, "out");
  const size_t capacity = arguments.Size(first + 2, "capacity");
  int32_t* const columns = arguments.Columns(first + 1, "columns", 4, capacity);
  const int64_t count = weir::Unwrap(
      arguments.Env(),
      scan_->Next(reinterpret_cast<char*>(out.data), out.length, RowColumns(columns, capacity), capacity));
  return Napi::Number::New(arguments.Env(),
                           static_cast<double>(count < 0 ? count : 2 * count + (scan_->at_end() ? 1 : 0)));
}

Napi::Value ScanObject::Next(const Napi::CallbackInfo& info) { return Copy(Arguments(info, "Scan.next"), 0); }

Napi::Value ScanObject::Restart(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Scan.restart");
  Begin(arguments, 0);
  return Copy(arguments, 3);
}

void ScanObject::Close(const Napi::CallbackInfo&) {
  if (scan_ != nullptr) scan_->End();
}

void RegisterScan(Napi::Env env) {
  Environment::Of(env)->AddClass(
      "Scan", ScanObject::DefineClass(env, "Scan",
                                      {ScanObject::InstanceMethod<&ScanObject::Next>("next"),
                                       ScanObject::InstanceMethod<&ScanObject::Restart>("restart"),
                                       ScanObject::InstanceMethod<&ScanObject::Close>("close")}));
}

}  // namespace weir
