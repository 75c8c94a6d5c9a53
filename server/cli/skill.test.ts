// SKILL.md as an agent follows it: each line of its code is run by bash against a server with a run.

import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { phases } from '../../protocol/lists.ts'
import { sampleBatch, startTestServer, type TestServer } from '../testing/testServer.ts'
import { packagePath } from './place.ts'

const runsHere = (program: string) => spawnSync(program, ['--version']).status === 0
const missing = ['bash', 'curl'].filter((program) => !runsHere(program))
if (missing.length > 0)
  process.stderr.write(`SKIPPED, the lines of SKILL.md: install ${missing.join(' and ')} to run them\n`)

const text = readFileSync(packagePath('SKILL.md'), 'utf8')
const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code]) => code!.trim().split('\n'))
const reading = blocks[0]!
const [shared, ...steering] = blocks[1]!

test('SKILL.md names the phases that there are', () => {
  const named = /a phase \(([^)]*)\)/.exec(text)![1]!
  expect(named.split(', ')).toEqual(phases.map((phase) => `\`${phase}\``))
})

/** Numbers of decisions are made up in the text. */
const expectedProblems = ['decision-not-found', 'decision-not-awaiting']

describe.skipIf(missing.length > 0)('a line of SKILL.md', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
    await server.call('POST', '/api/v1/runs', { runId: 'r1', budgetSteps: 6_000 })
    const steps = sampleBatch(0, 100)
    await server.call('POST', '/api/v1/runs/r1/telemetry', { clientId: 'c', sequence: 1, steps })
  })
  afterAll(() => server.close())

  async function answerOf(line: string): Promise<unknown> {
    const program =
      `twostep() { "${process.execPath}" "${packagePath('dist/server/cli/twostep.js')}" "$@"; }\n${shared}\n${line}`
        .replaceAll('npx twostep', 'twostep')
        .replaceAll(/(http:\/\/)?(127\.0\.0\.1|localhost):7317/g, server.url)
        .replaceAll('RUN', 'r1')
    const child = spawn('bash', ['-c', program], { env: { ...process.env, TWOSTEP_SERVER_URL: server.url } })
    const out = { stdout: '', stderr: '' }
    child.stdout.on('data', (data) => {
      out.stdout += data
    })
    child.stderr.on('data', (data) => {
      out.stderr += data
    })
    const status = await new Promise((resolve) => child.once('close', resolve))
    expect(status, out.stderr).toBe(0)
    return line.includes('--format csv') ? out.stdout : JSON.parse(out.stdout)
  }

  test.each([...reading, ...steering])('does what it says: %s', async (line) => {
    const answer = await answerOf(line)
    const { code } = answer as { code?: string }
    if (code !== undefined) expect(expectedProblems).toContain(code)
  })

  test('its wishes are kept as decisions: a rate, its end, the switch, the budget', async () => {
    const { decisions } = (await server.call('GET', '/api/v1/runs/r1/decisions')).body
    const kinds = decisions.map(({ kind }: { kind: string }) => kind)
    expect(kinds).toEqual(['start', 'override', 'hand-back', 'override', 'override'])
  })
})
