// PyTorch jobs of many kinds, steered through the Python client against what a user would pick. The jobs and the rows are
// python/benchmarks/autopilot; here a built server is started for them, with a data folder of its own.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startServer, stop } from './serverProcess.ts'

const folderOfClient = fileURLToPath(new URL('../../python/', import.meta.url))

/** @throws Error if it has no PyTorch. */
function pythonWithTorch(): string {
  const own = join(folderOfClient, '.venv', 'bin', 'python')
  const names = [process.env.PYTHON_WITH_TORCH, own, 'python3'].filter((name) => name !== undefined)
  const found = names.find((name) => spawnSync(name, ['-c', 'import torch']).status === 0)
  if (found !== undefined) return found
  throw new Error(
    'no Python with PyTorch is here: PYTHON_WITH_TORCH=… names one, `npm run test:python` makes one in python/.venv',
  )
}

/**
 * @param args those of `python -m benchmarks.autopilot`: `--rows`, `--tasks`, `--seeds N`, `--length short|long`, `--results FILE`,
 * `--again ROW`, `--table`. $PYTHON_WITH_TORCH names the Python that has PyTorch, prodigyopt and schedulefree.
 */
export async function benchAutopilot(args: readonly string[]): Promise<void> {
  const python = pythonWithTorch()
  const folder = mkdtempSync(join(tmpdir(), 'twostep-autopilot-'))
  try {
    const server = await startServer(folder)
    const words = ['-m', 'benchmarks.autopilot', '--server', server.url, ...args]
    const env = { ...process.env, PYTHONPATH: folderOfClient }
    const jobs = spawn(python, words, { stdio: 'inherit', env })
    const ended = new Promise<number>((resolve, reject) => {
      jobs.once('error', reject)
      jobs.once('exit', (status) => resolve(status ?? 1))
    })
    process.exitCode = await ended.finally(() => stop(server))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
