// @ts-check
// `npm run test:contract`: the built server's API against its own /openapi.json, by schemathesis: thousands of requests that the
// contract allows and forbids. It is installed into python/.venv-contract on the first call; without Python or a network the test is
// skipped, loudly. Ends with the plain line "N passed, N failed": operations.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { served } from './served.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const environment = join(root, 'python', '.venv-contract')
const isWindows = process.platform === 'win32'
const bin = (/** @type {string} */ name) =>
  join(environment, isWindows ? `Scripts/${name}.exe` : `bin/${name}`)
const version = '4.32.5'
const seed = 20_261_128
const examples = 30

/** @param {string} reason */
function skip(reason) {
  console.log(`\n!!! SKIPPED: the API against its contract\n!!! ${reason}\n`)
  console.log('0 passed, 0 failed')
}

/** @returns {string | undefined} why schemathesis is not here; it is brought if it can be */
function whyNot() {
  if (spawnSync(bin('schemathesis'), ['--version']).status === 0) return undefined
  const made = spawnSync('python3', ['-m', 'venv', '--clear', environment])
  if (made.status !== 0)
    return 'python3 with venv is missing: on Debian and Ubuntu apt-get install python3 python3-venv'
  const words = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${version}`]
  const done = spawnSync(bin('python'), words, { encoding: 'utf8' })
  return done.status === 0
    ? undefined
    : `schemathesis could not be installed: ${done.stderr.trim().split('\n').at(-1)}`
}

async function tryContract() {
  const folder = mkdtempSync(join(tmpdir(), 'twostep-contract-'))
  const entry = join(root, 'dist', 'server', 'cli', 'twostep.js')
  try {
    await served(process.execPath, [entry], folder, (url) => run(url, folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} url @param {string} folder where it keeps what it has found */
async function run(url, folder) {
  const config = ['--config-file', join(root, '.ci', 'schemathesis.toml')]
  const limits = ['--max-examples', String(examples), '--seed', String(seed), '--workers', '1']
  const words = [...config, 'run', `${url}/openapi.json`, ...limits, '--no-color']
  const child = spawn(bin('schemathesis'), words, { cwd: folder })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text) => {
      out += text
      process.stdout.write(text)
    })
  }
  const status = await new Promise((resolve) => child.once('close', resolve))
  const tested = Number(/Tested: (\d+)/.exec(out)?.[1] ?? 0)
  const failed = status === 0 && tested > 0 ? 0 : Math.max(1, Number(/(\d+) failures? /.exec(out)?.[1] ?? 1))
  console.log(`${Math.max(0, tested - failed)} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

if (!existsSync(join(root, 'dist', 'server', 'cli', 'twostep.js'))) {
  const built = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    stdio: 'inherit',
    shell: isWindows,
  })
  if (built.status !== 0) process.exit(1)
}
const reason = whyNot()
if (reason === undefined) await tryContract()
else skip(reason)
