// @ts-check
// A server of the built program or of an installed package, for a test that asks it something.

import { spawn } from 'node:child_process'

/**
 * Starts `serve` on a free port with its data in `cwd`, and ends it after `use`.
 * @param {string} command @param {readonly string[]} words before `serve` @param {string} cwd
 * @param {(url: string) => Promise<void>} use @throws {Error} if it ends before it is ready
 */
export async function served(command, words, cwd, use) {
  const child = spawn(command, [...words, 'serve', '--port', '0', '--json'], {
    cwd,
    shell: process.platform === 'win32',
  })
  try {
    const line = await new Promise((resolve, reject) => {
      child.stdout.once('data', (data) => resolve(String(data)))
      child.once('exit', (status) => reject(new Error(`the server ended with ${status}`)))
    })
    await use(JSON.parse(line).url)
  } finally {
    child.kill()
  }
}
