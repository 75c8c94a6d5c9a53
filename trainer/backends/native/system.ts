// What setup and doctor ask of the computer, in one place, so that tests can answer instead.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'

/** What a program printed; null = it could not be started or did not end well. */
export type Probe = (command: string, args: readonly string[]) => string | null

export type System = {
  readonly platform: string
  readonly arch: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Version of the GNU C library, as in "2.36"; null = another C library (musl). */
  readonly glibc: string | null
  probe: Probe
  /** A file's text; null = it cannot be read. */
  text(path: string): string | null
  exists(path: string): boolean
  /** Bytes that may still be written below a folder that need not exist yet. */
  freeBytes(folder: string): number
}

const probeMilliseconds = 20_000

function probe(command: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: probeMilliseconds,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return status === 0 ? stdout : null
}

function text(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function freeBytes(folder: string): number {
  let existing = folder
  while (!existsSync(existing)) existing = dirname(existing)
  const { bavail, bsize } = statfsSync(existing)
  return bavail * bsize
}

function glibcVersion(): string | null {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean }
  // Without this the report looks up the name of every open connection.
  report.excludeNetwork = true
  const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime ?? null
}

export function thisSystem(): System {
  const { platform, arch, env: environment } = process
  return { platform, arch, environment, glibc: glibcVersion(), probe, text, exists: existsSync, freeBytes }
}

/** −1, 0 or 1 as version a is before, equal to or after b; numbers separated by dots, missing ones are 0. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  return 0
}
