// Two setups at the same time would write over each other's files: the second one says so and ends. A lock whose
// process is gone, as after a power cut, is taken over.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { SetupError } from './fetch.ts'

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // It lives, but belongs to another user.
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Takes the lock and returns what gives it back. @throws SetupError while another process holds it. */
export function takeLock(file: string, pid: number = process.pid): () => void {
  const write = () => writeFileSync(file, `${pid}\n`, { flag: 'wx' })
  try {
    write()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    const holder = Number(readFileSync(file, 'utf8'))
    if (isAlive(holder))
      throw new SetupError(`another setup (process ${holder}) is at work in this folder; wait for its end`)
    rmSync(file, { force: true })
    write()
  }
  return () => rmSync(file, { force: true })
}
