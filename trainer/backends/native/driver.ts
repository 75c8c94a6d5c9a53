// The graphics card and its driver, as far as they can be known without loading CUDA, and why TensorFlow could not
// use them. In a container the driver's library is put in from the host, so each piece can be missing by itself.

import { driverMin } from './pins.ts'
import { compareVersions, type System } from './system.ts'

export type Card = {
  readonly name: string
  readonly memoryMegabytes: number | null
  /** As "9.0"; null = the driver is too old to say. */
  readonly computeCapability: string | null
}

export type Driver = {
  /** As "550.54.15"; null = no driver found. */
  readonly version: string | null
  readonly cards: readonly Card[]
  /** Where the driver's two libraries are; null = not found. TensorFlow counts cards through the second. */
  readonly libcuda: string | null
  readonly libnvml: string | null
  /** The value of CUDA_VISIBLE_DEVICES if it hides every card. */
  readonly hiddenBy: string | null
}

const libcudaName = 'libcuda.so.1'
const libnvmlName = 'libnvidia-ml.so.1'
const libraryFolders = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib64',
  '/usr/local/nvidia/lib64',
  '/usr/lib/wsl/lib',
]

function findLibrary(name: string, { environment, exists, probe }: System): string | null {
  const own = (environment.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '')
  const file = [...own, ...libraryFolders].map((folder) => `${folder}/${name}`).find(exists)
  if (file !== undefined) return file
  const cached = probe('ldconfig', ['-p']) ?? probe('/sbin/ldconfig', ['-p']) ?? ''
  const line = cached.split('\n').find((text) => text.trim().startsWith(`${name} `))
  return line?.split(' => ')[1]?.trim() ?? null
}

type Queried = { readonly version: string | null; readonly cards: readonly Card[] }

function askNvidiaSmi({ probe }: System): Queried | undefined {
  const ask = (fields: string) => {
    const args = [`--query-gpu=${fields}`, '--format=csv,noheader,nounits']
    return probe('nvidia-smi', args) ?? probe('/usr/lib/wsl/lib/nvidia-smi', args)
  }
  // Drivers before 510 do not know the field, and answer nothing at all.
  const capable = ask('driver_version,memory.total,compute_cap,name')
  const answer = capable ?? ask('driver_version,memory.total,name') ?? ''
  const rows = answer.split('\n').flatMap((line) => {
    const [version, memory, ...rest] = line.split(', ')
    const computeCapability = capable === null ? null : (rest.shift() ?? null)
    const name = rest.join(', ').trim()
    return version && /^\d+(\.\d+)+$/.test(version) && memory !== undefined && name !== ''
      ? [{ version, card: { name, memoryMegabytes: Number(memory) || null, computeCapability } }]
      : []
  })
  return rows.length === 0 ? undefined : { version: rows[0]!.version, cards: rows.map(({ card }) => card) }
}

function readKernelModule({ text }: System): Queried {
  const line = text('/proc/driver/nvidia/version') ?? ''
  return { version: /NVRM version:.*?\s(\d+\.\d+(?:\.\d+)*)\s/.exec(line)?.[1] ?? null, cards: [] }
}

export function readDriver(system: System): Driver {
  const visible = system.environment.CUDA_VISIBLE_DEVICES
  return {
    ...(askNvidiaSmi(system) ?? readKernelModule(system)),
    libcuda: findLibrary(libcudaName, system),
    libnvml: findLibrary(libnvmlName, system),
    hiddenBy: visible !== undefined && /^\s*(-1.*|none|)\s*$/i.test(visible) ? visible : null,
  }
}

/** Why CUDA cannot use a card here; undefined = nothing is known against it. */
export function whyNoCard({ version, libcuda, libnvml, hiddenBy }: Driver): string | undefined {
  if (hiddenBy !== null)
    return `CUDA_VISIBLE_DEVICES=${JSON.stringify(hiddenBy)} hides every card; unset it or name one, as 0`
  if (version === null && libcuda === null)
    return `no NVIDIA driver is here (neither nvidia-smi nor ${libcudaName}): install driver ${driverMin} or newer; a container gets it from the host by "--gpus all" and NVIDIA's container toolkit`
  const absent = libcuda === null ? libcudaName : libnvml === null ? libnvmlName : undefined
  if (version !== null && absent !== undefined)
    return `the NVIDIA driver ${version} is loaded, but its library ${absent} is not to be found: in a container set NVIDIA_DRIVER_CAPABILITIES=compute,utility and start it with "--gpus all"`
  if (version === null)
    return `the driver's library ${libcuda} is here, but no card answers (nvidia-smi fails and the kernel module is not loaded): start a container with "--gpus all", or load the module "nvidia"`
  if (compareVersions(version, driverMin) < 0)
    return `the NVIDIA driver must be ${driverMin} or newer for CUDA 12, it is ${version}: update it`
  return undefined
}
