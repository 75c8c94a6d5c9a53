// Holds back what a library writes to the standard error while it is loaded. TensorFlow prints lines there before
// its own settings can silence it, and they also hold the only explanation why it does not use a graphics card:
// so they are kept in memory and handed over as a string. begin() and end() always come in pairs.

#include <node_api.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace {

constexpr int kStandardError = 2;
// Text beyond this is dropped; a load prints a few kilobytes.
constexpr size_t kTextBytesMax = 256 * 1024;

int original = -1;
int memory = -1;

napi_value Begin(napi_env, napi_callback_info) {
  if (original >= 0) return nullptr;
  memory = memfd_create("twostep-stderr", MFD_CLOEXEC);
  original = dup(kStandardError);
  if (memory >= 0 && original >= 0) dup2(memory, kStandardError);
  return nullptr;
}

napi_value End(napi_env env, napi_callback_info) {
  std::string text;
  if (original >= 0) {
    dup2(original, kStandardError);
    close(original);
  }
  if (memory >= 0) {
    text.resize(kTextBytesMax);
    const ssize_t count = pread(memory, text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<size_t>(count) : 0);
    close(memory);
  }
  original = memory = -1;
  napi_value result;
  napi_create_string_utf8(env, text.data(), text.size(), &result);
  return result;
}

napi_value Init(napi_env env, napi_value exports) {
  napi_value begin;
  napi_value end;
  napi_create_function(env, "begin", NAPI_AUTO_LENGTH, Begin, nullptr, &begin);
  napi_create_function(env, "end", NAPI_AUTO_LENGTH, End, nullptr, &end);
  napi_set_named_property(env, exports, "begin", begin);
  napi_set_named_property(env, exports, "end", end);
  return exports;
}

}  // namespace

NAPI_MODULE(stderr_capture, Init)
