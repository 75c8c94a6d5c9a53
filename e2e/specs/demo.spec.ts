// `twostep demo` as a stranger runs it, shortened; no browser is needed.

import { createServer } from 'node:net'
import { join } from 'node:path'
import { runCommand } from '../fixtures/service.ts'
import { expect, test } from '../fixtures/test.ts'

const summaryKeys = [
  'testAccuracy',
  'largeLearningRate',
  'switchStep',
  'budgetSteps',
  'decisionCount',
  'signalShare',
  'probeShare',
  'wallSeconds',
  'runId',
]

test('the demo trains, tells its decisions, and ends with its summary as one line of JSON', async ({
  home,
}) => {
  const steps = 400
  const demo = ['demo', '--exit', '--json', '--task', 'digits', '--steps', String(steps), '--port', '0']
  const { code, out, err } = await runCommand(home, [...demo, '--data-dir', join(home, 'data')])
  expect(err).toBe('')
  expect(code).toBe(0)
  expect(out).toMatch(/^Twostep is ready: open http:\/\/127\.0\.0\.1:\d+\n/)
  expect(out).toMatch(/\d+ % {2}step [\d,]+ of 400 {2}loss [\d.]+ {2}rate \S+ {2}(warmup|large|anneal)/)
  expect(out).toMatch(/^#\d+ step [\d,]+ (raise|lower|switch): .+\.$/m)
  const summary = JSON.parse(out.trimEnd().split('\n').at(-1)!)
  expect(Object.keys(summary)).toEqual(summaryKeys)
  expect(summary.budgetSteps).toBe(steps)
  expect(summary.testAccuracy).toBeGreaterThan(0.5)
  expect(summary.largeLearningRate).toBeGreaterThan(0)
  expect(summary.decisionCount).toBeGreaterThanOrEqual(3)
  for (const share of ['signalShare', 'probeShare']) {
    expect(summary[share]).toBeGreaterThan(0)
    expect(summary[share]).toBeLessThan(1)
  }
  // The run is there afterwards, and its decisions follow from its log.
  const replay = await runCommand(home, ['replay', summary.runId, '--data-dir', join(home, 'data')])
  expect(replay.out).toMatch(new RegExp(`^${summary.decisionCount} decisions, identical`))
  expect(replay.code).toBe(0)
})

test('a port in use is said, with what to do', async ({ home }) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as { port: number }
  const { code, out, err } = await runCommand(home, ['demo', '--exit', '--port', String(port)])
  other.close()
  expect(code).toBe(1)
  expect(out).toBe('')
  expect(err).toContain(`port ${port} on 127.0.0.1 is in use`)
  expect(err).toContain('--port 0')
  expect(err.trimEnd().split('\n')).toHaveLength(1)
})
