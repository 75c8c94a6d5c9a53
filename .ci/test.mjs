// What `npm test` runs: build with its type check, lint, unit and property tests (vitest), those tests of the Python
// client that need only Python, browser tests (Playwright). Prints one plain closing line whose counts are the runners'
// own; a failed build or lint counts as one failure. Exit status 0 only if nothing failed. Nothing that an earlier run
// has left is found: the build begins from nothing, and the temporary folder of all that is run here is one of this
// run's own.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'twostep-test-'))
const temporary = join(folder, 'temporary')
mkdirSync(temporary)
const environment = { ...process.env, TMPDIR: temporary, TMP: temporary, TEMP: temporary }
const bin = (name) => join('node_modules', '.bin', name)
let passed = 0
let failed = 0
let running
let isStopped = false

// The folder must go in this case too, after whoever uses it. Ctrl-C reaches the runners by itself.
process.on('SIGINT', () => {
  isStopped = true
})
process.on('SIGTERM', () => {
  isStopped = true
  running?.kill('SIGTERM')
})

async function run(title, command, args, env = {}) {
  if (isStopped) return false
  console.log(`\n— ${title}`)
  const child = spawn(command, args, { stdio: 'inherit', env: { ...environment, ...env } })
  running = child
  return new Promise((resolve) => {
    child.once('error', () => resolve(false))
    child.once('close', (status) => resolve(status === 0))
  })
}

async function check(title, command, args) {
  if (await run(title, command, args)) return true
  failed++
  return false
}

/** Adds a runner's own counts from its JSON report; a runner that left none has failed. */
function count(path, isOk, read) {
  try {
    const counts = read(JSON.parse(readFileSync(path, 'utf8')))
    passed += counts.passed
    failed += counts.failed
    if (!isOk && counts.failed === 0) failed++
  } catch {
    failed++
  }
}

async function unitTests() {
  const report = join(folder, 'unit.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const isOk = await run('unit and property tests', bin('vitest'), ['run', ...reporters])
  count(report, isOk, ({ numPassedTests, numFailedTests, numFailedTestSuites }) => ({
    passed: numPassedTests,
    failed: numFailedTests + (numFailedTestSuites > 0 && numFailedTests === 0 ? 1 : 0),
  }))
}

/** Of the Python client, what needs nothing but Python; `npm run test:python` runs all. */
async function pythonTests() {
  const report = join(folder, 'python.json')
  const options = ['--standard-library', '--report', report]
  const isOk = await run('Python client', process.execPath, [join('.ci', 'testPython.mjs'), ...options])
  count(report, isOk, (counts) => counts)
}

async function browserTests() {
  const report = join(folder, 'browser.json')
  const isOk = await run('browser tests', bin('playwright'), ['test', '--reporter=list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: report,
  })
  count(report, isOk, ({ stats, errors }) => ({
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected + (errors?.length ?? 0),
  }))
}

// A file of an earlier build, whose source is gone, must not be found.
rmSync('dist', { recursive: true, force: true })
const isBuilt =
  (await check('build and types', bin('tsc'), ['-b'])) &&
  (await check('page', bin('vite'), ['build', '--logLevel', 'warn']))
await check('types of the tests', bin('tsc'), ['-p', 'tsconfig.test.json'])
await check('lint', bin('biome'), ['check', '--error-on-warnings', '.'])
if (isBuilt) {
  await unitTests()
  await pythonTests()
  await browserTests()
}
rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
