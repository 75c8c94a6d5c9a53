// A stand-in for NVIDIA's two driver libraries (libcuda.so.1 and libnvidia-ml.so.1) that claims one card and refuses
// to do anything with it. TensorFlow then opens all its CUDA libraries, which shows without a card that the setup
// put each where it is looked for. It answers what TensorFlow asks before that, and nothing more.

#include <string.h>

enum { kDone = 0, kNoDevice = 100, kComputeCapabilityMajor = 75, kComputeCapabilityMinor = 76 };

int cuInit(unsigned flags) { return kDone; }
int cuDriverGetVersion(int *version) { return *version = 12090, kDone; }
int cuDeviceGetCount(int *count) { return *count = 1, kDone; }
int cuDeviceGet(int *device, int ordinal) { return *device = 0, kDone; }
int cuDeviceGetName(char *name, int length, int device) { return strncpy(name, "stand-in", length), kDone; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == kComputeCapabilityMajor ? 9 : attribute == kComputeCapabilityMinor ? 0 : 64;
  return kDone;
}
int cuGetErrorName(int error, const char **name) { return *name = "STAND_IN", kDone; }
int cuGetErrorString(int error, const char **text) { return *text = "stand-in driver", kDone; }
int cuDeviceGetPCIBusId(char *text, int length, int device) { return kNoDevice; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { return kNoDevice; }
int cuGetProcAddress_v2(void) { return kNoDevice; }
int cuDevicePrimaryCtxGetState(void) { return kNoDevice; }

int nvmlInit_v2(void) { return kDone; }
int nvmlDeviceGetHandleByPciBusId_v2(void) { return kDone; }
int nvmlDeviceGetCurrPcieLinkGeneration(void) { return kDone; }
int nvmlDeviceGetCurrPcieLinkWidth(void) { return kDone; }
int nvmlDeviceGetNvLinkState(void) { return kDone; }
int nvmlDeviceGetGpuFabricInfoV(void) { return kDone; }
