// @ts-check
// `npm run test:python [-- --standard-library|--torch]`: the tests of the Python client. What needs only Python runs with the
// python3 found; for PyTorch and the other frameworks a virtual environment is made in python/.venv (a download of some 3 GB,
// kept for the next time; pip's own settings hold), unless PYTHON_WITH_TORCH names an interpreter that has PyTorch. What cannot be
// run here is skipped, loudly, and counts as nothing. Ends with the plain line "N passed, N failed", the counts being
// the runner's own; --report FILE writes them as JSON.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('../', import.meta.url))
const folder = join(root, 'python')
const environment = join(folder, '.venv')
// Exact, so that a new version of a framework fails on the day that somebody moves to it, and on no other.
const packages = [
  ...['torch==2.15.0', 'numpy==2.4.6', 'transformers==5.24.0', 'accelerate==1.15.0', 'lightning==2.6.6'],
  ...['keras==3.15.1', 'optax==0.2.8', 'jax==0.10.2'],
]
const isWindows = process.platform === 'win32'
const { values } = parseArgs({
  options: {
    'standard-library': { type: 'boolean', default: false },
    torch: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
})
const counts = { passed: 0, failed: 0 }

/** @param {string} name @param {string} reason */
function skip(name, reason) {
  console.log(`\n!!! SKIPPED: ${name}\n!!! ${reason.trim().replaceAll('\n', '\n!!! ')}\n`)
}

/** @param {string} python @param {string} program @returns {boolean} whether the interpreter runs it */
const runs = (python, program) => spawnSync(python, ['-c', program]).status === 0

/** @returns {string | undefined} an interpreter that is new enough */
function findPython() {
  const names = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10']
  return names.find((name) => runs(name, 'import sys; sys.exit(sys.version_info < (3, 10))'))
}

/** @param {string} python @returns {string} one with PyTorch @throws {Error} which says why there is none */
function withTorch(python) {
  const given = process.env.PYTHON_WITH_TORCH
  if (given !== undefined) {
    if (runs(given, 'import torch')) return given
    throw new Error(`PYTHON_WITH_TORCH is ${given}, which does not import torch`)
  }
  const own = join(environment, isWindows ? 'Scripts/python.exe' : 'bin/python')
  if (runs(own, 'import torch, numpy, transformers, accelerate, lightning, keras, optax')) return own
  console.log(`Installing ${packages.join(', ')} into ${environment}, some 3 GB`)
  const made = spawnSync(python, ['-m', 'venv', '--clear', environment], { encoding: 'utf8' })
  if (made.status !== 0)
    throw new Error(
      `no virtual environment could be made (on Debian and Ubuntu: apt-get install python3-venv)\n${lastLines(made)}`,
    )
  const options = ['--quiet', '--disable-pip-version-check', '--retries', '1']
  const done = spawnSync(own, ['-m', 'pip', 'install', ...options, ...packages], { encoding: 'utf8' })
  if (done.status !== 0)
    throw new Error(
      `PyTorch could not be installed: set PYTHON_WITH_TORCH to a Python that has it, or try again with a network\n${lastLines(done)}`,
    )
  return own
}

/** @param {import('node:child_process').SpawnSyncReturns<string>} done */
const lastLines = ({ stdout, stderr }) => `${stdout}\n${stderr}`.trim().split('\n').slice(-3).join('\n')

/** Runs a part of the tests and adds its counts. @param {string} python @param {string} part @returns {Promise<void>} */
function test(python, part) {
  const child = spawn(python, ['-m', 'tests', part], {
    cwd: folder,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text) => {
    out += text
    // Of the plain lines there is one, at the very end.
    process.stdout.write(text.replace(/^\d+ passed, \d+ failed\n/m, ''))
  })
  return new Promise((resolve) => {
    child.once('error', () => resolve(add(1, '')))
    child.once('close', (status) => resolve(add(status, out)))
  })
}

/** @param {number | null} status @param {string} out a runner that ended without its line has failed */
function add(status, out) {
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(out) ?? ['', '0', '1']
  counts.passed += Number(passed)
  counts.failed += Math.max(Number(failed), status === 0 ? 0 : 1)
}

/** The PyTorch half is steered by the server, so that must be built. @param {string} python */
async function torchTests(python) {
  let able
  try {
    able = withTorch(python)
  } catch (cause) {
    return skip('the PyTorch half of the client', /** @type {Error} */ (cause).message)
  }
  if (!existsSync(join(root, 'dist', 'server', 'cli', 'twostep.js'))) {
    const built = spawnSync('npm', ['run', '--silent', 'build'], {
      cwd: root,
      stdio: 'inherit',
      shell: isWindows,
    })
    if (built.status !== 0) counts.failed++
  }
  await test(able, '--torch')
}

const python = findPython()
if (python === undefined) {
  skip(
    'all tests of the Python client',
    'python3 (3.10 or newer) is missing: on Debian and Ubuntu apt-get install python3 python3-venv, else https://www.python.org/downloads/',
  )
} else {
  if (!values.torch) await test(python, '--standard-library')
  if (!values['standard-library']) await torchTests(python)
}
if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(counts))
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1
