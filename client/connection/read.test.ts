// What the server says is read before it is shown: what is not of its shape becomes words, never a broken page.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import examples from '../../protocol/examples/answers.json' with { type: 'json' }
import { fetchRun, fetchRuns, sendCommand } from './api.ts'
import { busyReads, busyShownAfterMs } from './busy.ts'
import { reading } from './live.ts'
import { isProblem, readAnswer, readMessage, trouble } from './read.ts'

const example = (schema: string) => examples.find((entry) => entry.schema === schema)!.valid[0]!.message
const summary = example('RunSummary') as Record<string, unknown>
const decision = (example('DecisionList') as { decisions: object[] }).decisions[0] as Record<string, unknown>
const problem = example('Problem') as Record<string, unknown>

beforeEach(() => {
  trouble.value = null
})

describe('an answer', () => {
  test('of its shape is handed on as it is, with what the page does not know', () => {
    const newer = { ...summary, unheardOf: 1 }
    expect(readAnswer('RunSummary', newer)).toEqual({ ok: true, value: newer })
    expect(trouble.value).toBeNull()
  })

  test.each([
    ['a field is missing', { ...summary, drift: undefined }, '/drift must be'],
    ['a number is a text', { ...summary, step: '3' }, '/step must be number'],
    ['a word is not of its list', { ...summary, phase: 'cold' }, '/phase must be warmup|large|anneal|done'],
    ['it is nothing', null, 'must be object'],
  ])('is refused where %s, and the page says where and what to do', (_, wrong, where) => {
    const answer = readAnswer('RunSummary', wrong)
    if (answer.ok) throw new Error('it was read')
    expect(answer.problem.detail).toContain(where)
    expect(answer.problem.detail).toMatch(/^The server says something .*\. Load the page anew\.$/)
    expect(trouble.value).toBe(answer.problem.detail)
  })
})

describe('a call over HTTP', () => {
  const answering = (body: string, status = 200) =>
    vi.stubGlobal('fetch', async () => new Response(body, { status }))

  test('answers what was asked for', async () => {
    answering(JSON.stringify(summary))
    expect(await fetchRun('a')).toEqual({ ok: true, value: summary })
  })

  test('of another shape is a problem that the list shows', async () => {
    answering(JSON.stringify({ runs: [{ id: 'a' }], next: null }))
    const answer = await fetchRuns()
    expect(answer).toMatchObject({ ok: false, problem: { code: 'not-understood' } })
    expect(answer.ok ? '' : answer.problem.detail).toContain('/runs/0/')
  })

  test("hands on the server's own problem, and makes one of anything else", async () => {
    answering(JSON.stringify(problem), 404)
    expect(await fetchRun('a')).toEqual({ ok: false, problem })
    answering(JSON.stringify({ detail: 5 }), 502)
    expect(await sendCommand('a', 'pause', '')).toMatchObject({
      ok: false,
      problem: { detail: 'The server answered with status 502.' },
    })
    answering('<html>', 502)
    expect(await fetchRun('a')).toMatchObject({
      ok: false,
      problem: { detail: 'The server answered with something that is not JSON.' },
    })
    expect(isProblem({ ...problem, errors: 'none' })).toBe(false)
  })
})

describe('a read for which the server has no room', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const busy = { ...problem, status: 503, code: 'server-busy' }
  /** Refuses so many times. */
  const refusing = (times: number, headers: Record<string, string> = { 'retry-after': '1' }) => {
    const asked = vi.fn(async () =>
      asked.mock.calls.length <= times
        ? new Response(JSON.stringify(busy), { status: 503, headers })
        : new Response(JSON.stringify(summary)),
    )
    vi.stubGlobal('fetch', asked)
    return asked
  }

  test('is asked again when the server says, and nothing is said of it', async () => {
    const asked = refusing(2)
    const answer = fetchRun('a')
    await vi.advanceTimersByTimeAsync(900)
    expect(asked).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(3_000)
    expect(await answer).toEqual({ ok: true, value: summary })
    expect(busyReads.value).toBe(0)
  })

  test('is spoken of after a while, and given up after a minute', async () => {
    refusing(1_000)
    const answer = fetchRun('a')
    await vi.advanceTimersByTimeAsync(busyShownAfterMs - 1_000)
    expect(busyReads.value).toBe(0)
    await vi.advanceTimersByTimeAsync(4_000)
    expect(busyReads.value).toBe(1)
    await vi.advanceTimersByTimeAsync(70_000)
    expect(await answer).toMatchObject({ ok: false, problem: { code: 'server-busy' } })
    expect(busyReads.value).toBe(0)
  })

  test('is refused at once where no time is told, and where something would be done', async () => {
    const untold = refusing(1_000, {})
    expect(await fetchRun('a')).toMatchObject({ ok: false })
    expect(untold).toHaveBeenCalledTimes(1)
    const acting = refusing(1_000)
    expect(await sendCommand('a', 'pause', '')).toMatchObject({ ok: false })
    expect(acting).toHaveBeenCalledTimes(1)
  })
})

describe('a message of the live socket', () => {
  test('reaches the page where it can be read, and only then', () => {
    const told: unknown[] = []
    const hear = reading('decision', (message) => told.push(message))
    const message = { runId: decision.runId, decision }
    hear(message)
    hear({ ...message, decision: { ...decision, kind: 'dance' } })
    expect(told).toEqual([message])
    expect(trouble.value).toContain('/decision/kind must be start|hold|')
  })

  test.each([
    ['samples', example('LiveSamples'), { runId: 'a', series: {} }],
    ['run', { run: summary }, { run: { ...summary, options: null } }],
    ['removed', { runId: 'a' }, {}],
    ['problem', problem, { detail: 'without the rest' }],
    ['subscribe', example('SubscribeAnswer'), { ok: true }],
    ['subscribe-runs', example('RunList'), { runs: {} }],
  ] as const)('is held to its shape: %s', (name, right, wrong) => {
    expect(readMessage(name, right)).toEqual({ ok: true, value: right })
    expect(readMessage(name, wrong).ok).toBe(false)
  })
})
