#include "binding/scan.h"

#include "binding/arguments.h"
#include "binding/errors.h"

namespace weir {

ScanObject::ScanObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ScanObject>(info), Environment::Object(Environment::Of(info.Env())) {}

void ScanObject::CloseForTeardown() {
  if (scan_ != nullptr) scan_->Close();
  scan_.reset();
}

Napi::Object ScanObject::Wrap(Napi::Env env, std::shared_ptr<MergedScan> scan) {
  Napi::Object object = Environment::Of(env)->Construct("Scan", {});
  ScanObject::Unwrap(object)->scan_ = std::move(scan);
  return object;
}

Napi::Value ScanObject::Next(const Napi::CallbackInfo& info) {
  const Arguments arguments(info, "Scan.next");
  if (scan_ == nullptr) throw Error(info.Env(), Status::Closed("The scan"));
  const Bytes out = arguments.Buffer(0, "out");
  const size_t capacity = arguments.Size(2, "capacity");
  int32_t* const columns = arguments.Columns(1, "columns", 4, capacity);
  const int64_t count = weir::Unwrap(info.Env(), scan_->Next(reinterpret_cast<char*>(out.data), out.length,
                                                             RowColumns(columns, capacity), capacity));
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

void ScanObject::Close(const Napi::CallbackInfo&) { CloseForTeardown(); }

void RegisterScan(Napi::Env env) {
  Environment::Of(env)->AddClass(
      "Scan", ScanObject::DefineClass(env, "Scan",
                                      {ScanObject::InstanceMethod<&ScanObject::Next>("next"),
                                       ScanObject::InstanceMethod<&ScanObject::Close>("close")}));
}

}  // namespace weir
