// Runs tfjs's own published op tests (the npm package of tfjs-core carries them, built) against the WASM and the native
// backend, as they come and with our kernels and derivatives, and lists what fails only with ours. Not part of
// `npm test`: it fetches jasmine and a bundler, once, into a folder outside the repository.
//
//   npm run build && node bench/upstream/run.mjs [--folder DIR] [--backends wasm,native] [--out FILE.json]
//
// Exit status 1 if a test fails with ours that passes without.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const tools = ['jasmine-core@3.99.1', 'esbuild@0.25.12']
/** Tests of ops, derivatives, optimizers and tensors; those of files, platforms and the registry are not about kernels. */
const subjects = /^(ops|optimizers|public)\/|^(gradients|tensor|variable|buffer|tensor_util)_test\.js$/
export const variants = ['stock', 'kernels', 'ours']

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: join(tmpdir(), 'twostep-upstream') },
    backends: { type: 'string', default: 'wasm,native' },
    out: { type: 'string' },
  },
})
const folder = values.folder

function call(command, args, options = {}) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', ...options })
  if (status !== 0) throw new Error(`${command} ${args.slice(0, 3).join(' ')} … ended with ${status}`)
}

/** One file with all tests and the copy of tfjs-core that they import; state is shared with ours through tfjs's globals. */
function bundle() {
  mkdirSync(folder, { recursive: true })
  if (!existsSync(join(folder, 'node_modules', 'esbuild'))) {
    writeFileSync(join(folder, 'package.json'), '{"private": true}')
    call('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...tools], { cwd: folder })
  }
  const core = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/package.json'))
  const dist = join(core, 'dist')
  const tests = readdirSync(dist, { recursive: true })
    .filter((name) => name.endsWith('_test.js') && subjects.test(name))
    .sort()
  const entry = join(folder, 'entry.mjs')
  const lines = [
    `export * as core from ${JSON.stringify(join(dist, 'index.js'))}`,
    `import ${JSON.stringify(join(dist, 'public/chained_ops/register_all_chained_ops.js'))}`,
    `import ${JSON.stringify(join(dist, 'register_all_gradients.js'))}`,
    `import ${JSON.stringify(join(folder, 'environments.mjs'))}`,
    ...tests.map((name) => `import ${JSON.stringify(join(dist, name))}`),
  ]
  writeFileSync(entry, `${lines.join('\n')}\n`)
  const util = JSON.stringify(join(dist, 'jasmine_util.js'))
  writeFileSync(
    join(folder, 'environments.mjs'),
    `import { setTestEnvs } from ${util}\nsetTestEnvs(globalThis.testEnvironments)\n`,
  )
  const args = [
    '--bundle',
    '--ignore-annotations',
    '--platform=node',
    '--format=cjs',
    '--outfile=tests.cjs',
    '--log-level=error',
  ]
  call(process.execPath, [join('node_modules', 'esbuild', 'bin', 'esbuild'), entry, ...args], {
    cwd: folder,
    env: { ...process.env, NODE_PATH: join(folder, 'node_modules') },
  })
  return tests.length
}

function runVariant(backend, variant) {
  const output = join(folder, `${backend}-${variant}.json`)
  const worker = fileURLToPath(new URL('./worker.mjs', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [worker, folder, backend, variant, output], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 256 << 20,
  })
  if (status !== 0) throw new Error(`${backend}, ${variant}: ended with ${status}: ${stderr.slice(-2_000)}`)
  return JSON.parse(readFileSync(output, 'utf8'))
}

const count = (results, status) => Object.values(results).filter((result) => result.status === status).length

const tally = (results) => {
  const counts = {}
  for (const { message } of results) counts[message] = (counts[message] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a))
}

function summaryOf(backend) {
  const { description, results: stock } = runVariant(backend, 'stock')
  const variantsOfOurs = variants.slice(1).map((variant) => {
    const { results } = runVariant(backend, variant)
    const names = Object.keys(results)
    const broken = names.filter(
      (name) => results[name].status === 'failed' && stock[name]?.status !== 'failed',
    )
    const mended = names.filter(
      (name) => results[name].status === 'passed' && stock[name]?.status === 'failed',
    )
    return {
      variant,
      passed: count(results, 'passed'),
      failed: count(results, 'failed'),
      failsOnlyWithOurs: broken.map((name) => ({ name, message: results[name].message })),
      passesOnlyWithOurs: mended,
    }
  })
  return {
    backend,
    description,
    stock: { passed: count(stock, 'passed'), failed: count(stock, 'failed') },
    variants: variantsOfOurs,
    /** How often each message comes without ours: mostly kernels that the backend does not have. */
    failsAsItComes: tally(Object.values(stock).filter(({ status }) => status === 'failed')),
  }
}

const files = bundle()
const backends = values.backends.split(',').map(summaryOf)
const report = { tfjsCore: '4.22.0', node: process.versions.node, testFiles: files, tools, backends }
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(report)}\n`)
let broken = 0
for (const { backend, stock, variants: ofOurs } of backends) {
  console.log(`${backend}: as it comes ${stock.passed} passed, ${stock.failed} failed`)
  for (const { variant, passed, failed, failsOnlyWithOurs, passesOnlyWithOurs } of ofOurs) {
    const label = variant === 'ours' ? 'with our kernels and derivatives' : 'with our kernels'
    console.log(
      `${backend}: ${label} ${passed} passed, ${failed} failed; ${passesOnlyWithOurs.length} pass only with ours, ${failsOnlyWithOurs.length} fail only with ours`,
    )
    for (const { name, message } of failsOnlyWithOurs) console.log(`  ${name}: ${message}`)
    broken += failsOnlyWithOurs.length
  }
}
if (values.out !== undefined) console.log(`written to ${relative(process.cwd(), values.out)}`)
process.exitCode = broken === 0 ? 0 : 1
