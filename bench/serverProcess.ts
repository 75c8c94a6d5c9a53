// The built server as a process of its own, as a user runs it, for a benchmark.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type ServerProcess = { readonly child: ChildProcess; readonly url: string; readonly startMs: number }

/** Listens on a free port of loopback. @param storageUrl another storage than a file in the folder */
export function startServer(folder: string, storageUrl?: string): Promise<ServerProcess> {
  const entry = fileURLToPath(new URL('../server/cli/twostep.js', import.meta.url))
  const startedAt = performance.now()
  const child = spawn(
    process.execPath,
    [
      entry,
      'serve',
      '--port',
      '0',
      '--json',
      '--data-dir',
      folder,
      ...(storageUrl === undefined ? [] : ['--storage-url', storageUrl]),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it was ready`)))
    child.stdout.once('data', (line: Buffer) => {
      const { url } = JSON.parse(line.toString()) as { url: string }
      resolve({ child, url, startMs: performance.now() - startedAt })
    })
  })
}

/** Resolves once it has ended, also if it had before. */
export function stop({ child }: ServerProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.removeAllListeners('exit')
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}

/** Resident memory in MB and processor time in microseconds of a process, where /proc tells them (Linux). */
export function usage({ child }: Pick<ServerProcess, 'child'>): { rssMb: number; cpuMicroseconds: number } {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024, cpuMicroseconds: ticks * 10_000 }
  } catch {
    return { rssMb: Number.NaN, cpuMicroseconds: Number.NaN }
  }
}
