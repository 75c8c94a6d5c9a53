// What `npm test` runs: build with its type check, lint, unit and property tests (vitest), those tests of the Python
// client that need only Python, browser tests (Playwright). Prints one plain closing line whose counts are the runners'
// own; a failed build or lint counts as one failure. Exit status 0 only if nothing failed. Nothing that an earlier run
// has left is found: the build begins from nothing, and the temporary folder of all that is run here is one of this
// run's own.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'twostep-test-'))
const temporary = join(folder, 'temporary')
mkdirSync(temporary)
const environment = { ...process.env, TMPDIR: temporary, TMP: temporary, TEMP: temporary }
const bin = (name) => join('node_modules', '.bin', name)
let passed = 0
let failed = 0
/** What failed, told once more at the end: there it is found. */
const failures = []
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
  failures.push(title)
  return false
}

/** Adds a runner's own counts, and the names of what failed, from its JSON report; a runner that left none has failed. */
function count(title, path, isOk, read) {
  try {
    const counts = read(JSON.parse(readFileSync(path, 'utf8')))
    passed += counts.passed
    failed += counts.failed
    for (const name of counts.names) failures.push(`${title}: ${name}`)
    if (isOk || counts.failed > 0) return
  } catch {}
  failed++
  failures.push(title)
}

/** @returns {string[]} where the specs that did not end as expected stand, of a report of Playwright */
const unexpected = (suite) => [
  ...(suite.specs ?? []).filter(({ ok }) => !ok).map(({ file, title }) => `${file} › ${title}`),
  ...(suite.suites ?? []).flatMap(unexpected),
]

async function unitTests() {
  const title = 'unit and property tests'
  const report = join(folder, 'unit.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const isOk = await run(title, bin('vitest'), ['run', ...reporters])
  count(title, report, isOk, ({ numPassedTests, numFailedTests, numFailedTestSuites, testResults }) => ({
    passed: numPassedTests,
    failed: numFailedTests + (numFailedTestSuites > 0 && numFailedTests === 0 ? 1 : 0),
    names: testResults
      .filter(({ status }) => status === 'failed')
      .flatMap(({ name, assertionResults }) => {
        const file = relative('.', name)
        const names = assertionResults
          .filter(({ status }) => status === 'failed')
          .map((test) => test.fullName)
        return names.length === 0 ? [file] : names.map((test) => `${file} › ${test}`)
      }),
  }))
}

/** Of the Python client, what needs nothing but Python; `npm run test:python` runs all. */
async function pythonTests() {
  const title = 'Python client'
  const report = join(folder, 'python.json')
  const options = ['--standard-library', '--report', report]
  const isOk = await run(title, process.execPath, [join('.ci', 'testPython.mjs'), ...options])
  count(title, report, isOk, (counts) => ({ ...counts, names: [] }))
}

async function browserTests() {
  const title = 'browser tests'
  const report = join(folder, 'browser.json')
  const isOk = await run(title, bin('playwright'), ['test', '--reporter=list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: report,
  })
  count(title, report, isOk, ({ stats, errors = [], suites }) => ({
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected + errors.length,
    names: suites.flatMap(unexpected),
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
console.log()
for (const name of failures) console.log(`failed: ${name}`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
