// What must be there before anything is downloaded. All that is missing is told at once, each as a sentence with the
// remedy, so that a person installs it in one go.

import { compareVersions, type Probe, type System } from './system.ts'

export type Tools = {
  readonly compiler: string
  readonly python: string
  /** Command and first arguments that start npm. */
  readonly npm: readonly [string, ...string[]]
}

export type Requirements = {
  /** Bytes that will be written, and where. */
  readonly bytesNeeded: number
  readonly folder: string
  /** Nothing is compiled any more, nothing is fetched any more. */
  readonly needsCompiler: boolean
  readonly needsDownloads: boolean
  readonly glibcMin: string
}

export type Checked = { readonly tools: Tools; readonly missing: readonly string[] }

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

/** Why native TensorFlow cannot work on this computer at all; undefined = it can. */
export function unsupported(system: System, glibcMin: string): string | undefined {
  const here = `${system.platform} ${system.arch}`
  const instead = 'the wasm backend needs nothing of this and trains here as it is'
  if (system.platform !== 'linux' || system.arch !== 'x64')
    return `native TensorFlow must run on linux x64, this computer is ${here}; ${instead}`
  if (system.glibc === null)
    return `TensorFlow needs the GNU C library ${glibcMin} or newer, this system has another one (Alpine's musl?); use Debian or Ubuntu, or stay: ${instead}`
  if (compareVersions(system.glibc, glibcMin) < 0)
    return `TensorFlow needs the GNU C library ${glibcMin} or newer, this system has ${system.glibc}; update the system, or stay: ${instead}`
  const flags = /^flags\s*:(.*)$/m.exec(system.text('/proc/cpuinfo') ?? '')?.[1]
  if (flags !== undefined && !/\bavx\b/.test(flags))
    return `TensorFlow needs a processor with AVX instructions, this one has none; ${instead}`
  return undefined
}

const worksAs = (probe: Probe, args: readonly string[]) => (command: string) => probe(command, args) !== null

function findCompiler({ environment, probe }: System): string | undefined {
  return [environment.CXX, 'c++', 'g++', 'clang++']
    .filter((name): name is string => name !== undefined && name !== '')
    .find(worksAs(probe, ['--version']))
}

function findNpm({ environment, probe }: System): readonly [string, ...string[]] | undefined {
  // Set by npm when it runs a script: the very npm that the person uses.
  const own = environment.npm_execpath
  if (own?.endsWith('.js')) return [process.execPath, own]
  return worksAs(probe, ['--version'])('npm') ? ['npm'] : undefined
}

/** Finds the tools and names all that is missing, in sentences. */
export function checkRequirements(system: System, needs: Requirements): Checked {
  const reason = unsupported(system, needs.glibcMin)
  const none: Tools = { compiler: 'c++', python: 'python3', npm: ['npm'] }
  if (reason !== undefined) return { tools: none, missing: [reason] }
  const missing: string[] = []
  const compiler = findCompiler(system)
  if (compiler === undefined && needs.needsCompiler)
    missing.push(
      'a C++ compiler is missing (tried $CXX, c++, g++ and clang++): on Debian and Ubuntu install it with "apt-get install g++"',
    )
  const python = ['python3', 'python'].find(worksAs(system.probe, ['-c', 'import zipfile, tarfile']))
  if (needs.needsDownloads && python === undefined)
    missing.push(
      'Python 3 is missing (tried python3 and python), which fetches and unpacks TensorFlow: on Debian and Ubuntu install it with "apt-get install python3 python3-pip"',
    )
  else if (needs.needsDownloads && system.probe(python!, ['-m', 'pip', '--version']) === null)
    missing.push(
      `${python} has no pip, which fetches TensorFlow: on Debian and Ubuntu install it with "apt-get install python3-pip"`,
    )
  const npm = findNpm(system)
  if (npm === undefined && needs.needsDownloads)
    missing.push('npm is missing, which fetches tfjs-node: it comes with Node, or "apt-get install npm"')
  const free = system.freeBytes(needs.folder)
  if (free < needs.bytesNeeded)
    missing.push(
      `${needs.folder} must have ${gigabytes(needs.bytesNeeded)} free, it has ${gigabytes(free)}: make room there`,
    )
  return {
    tools: {
      compiler: compiler ?? none.compiler,
      python: python ?? none.python,
      npm: npm ?? none.npm,
    },
    missing,
  }
}
