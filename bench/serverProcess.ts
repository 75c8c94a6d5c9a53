// The built server as a process of its own, as a user runs it, for a benchmark.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export type ServerProcess = { readonly child: ChildProcess; readonly url: string; readonly startMs: number }

/** Listens on a free port of loopback. */
export function startServer(folder: string): Promise<ServerProcess> {
  const entry = fileURLToPath(new URL('../server/cli/twostep.js', import.meta.url))
  const startedAt = performance.now()
  const child = spawn(process.execPath, [entry, 'serve', '--port', '0', '--json', '--data-dir', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
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
