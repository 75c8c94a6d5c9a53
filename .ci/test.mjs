// What `npm test` runs: build with its type check, lint, unit and property tests (vitest), browser tests
// (Playwright). Prints one plain closing line whose counts are the two runners' own; a failed build or lint
// counts as one failure. Exit status 0 only if nothing failed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'twostep-test-'))
const bin = (name) => join('node_modules', '.bin', name)
let passed = 0
let failed = 0

function run(title, command, args, env = {}) {
  console.log(`\n— ${title}`)
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  return status === 0
}

function check(title, command, args) {
  if (run(title, command, args)) return true
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

const isBuilt =
  check('build and types', bin('tsc'), ['-b']) && check('page', bin('vite'), ['build', '--logLevel', 'warn'])
check('types of the tests', bin('tsc'), ['-p', 'tsconfig.test.json'])
check('lint', bin('biome'), ['check', '--error-on-warnings', '.'])
if (isBuilt) {
  const unit = join(folder, 'unit.json')
  const unitOk = run('unit and property tests', bin('vitest'), [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${unit}`,
  ])
  count(unit, unitOk, (report) => ({
    passed: report.numPassedTests,
    failed: report.numFailedTests + (report.numFailedTestSuites > 0 && report.numFailedTests === 0 ? 1 : 0),
  }))
  const browser = join(folder, 'browser.json')
  const browserOk = run('browser tests', bin('playwright'), ['test', '--reporter=list,json'], {
    PLAYWRIGHT_JSON_OUTPUT_NAME: browser,
  })
  count(browser, browserOk, ({ stats, errors }) => ({
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected + (errors?.length ?? 0),
  }))
}
rmSync(folder, { recursive: true, force: true })
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
