import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Plan } from '../../../protocol/vocabulary.ts'
import type { StepReading } from '../signals.ts'
import { type StandInServer, startStandInServer } from '../testing/standInServer.ts'
import {
  batchStepsMax,
  createReporter,
  expectedSequence,
  memoryMessagesMax,
  type Reporter,
} from './reporter.ts'
import { openSpool } from './spool.ts'
import { createHttpTransport } from './transport.ts'

const plan: Plan = {
  version: 1,
  segments: [{ fromStep: 0, toStep: 100, shape: 'constant', from: 0.1, to: 0.1 }],
}
/** Long enough for any local request; nothing waits so long unless it fails. */
const patience = 5_000

let server: StandInServer
let folder: string
let notices: string[]
let answers: number
let reporter: Reporter | undefined
beforeEach(async () => {
  server = await startStandInServer(plan)
  folder = mkdtempSync(join(tmpdir(), 'twostep-reporter-'))
  notices = []
  answers = 0
})
afterEach(async () => {
  reporter?.close()
  await server.stop()
  rmSync(folder, { recursive: true })
  expect(server.invalid).toEqual([])
})

const spoolFile = () => join(folder, 'r.ndjson')
/** Time stands still but for waits, which take no time: a retry comes at once, and no batch is sealed by age. */
const time = { now: () => 0, random: () => 0.5 }

function newReporter(options: { spoolBytes?: number; backoffs?: number[] } = {}): Reporter {
  const { spoolBytes, backoffs = [] } = options
  return createReporter({
    transport: createHttpTransport(server.url),
    spool: openSpool(spoolFile(), spoolBytes),
    runId: 'r',
    clientId: 'c',
    create: { runId: 'r', resume: 'allow' },
    onAnswer: () => {
      answers++
    },
    onNotice: (sentence) => notices.push(sentence),
    ...time,
    // Waits for an answer end by their signal; a backoff ends when the loop has turned once.
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve())
        if (ms >= patience) return
        backoffs.push(ms)
        setImmediate(resolve)
      }),
  })
}

const reading = (step: number, loss = 0.5): StepReading => ({
  step,
  learningRate: 0.1,
  momentum: 0.9,
  batchSize: 128,
  microBatchSize: null,
  stepSeconds: 0.01,
  signalSeconds: 0,
  loss,
  gradientNormSquared: 1 / 3,
  microGradientNormSquared: null,
  gradientDotUpdate: null,
  updateNormSquared: null,
  weightNormSquared: null,
  preconditionedGradientNormSquared: null,
  preconditionedMicroGradientNormSquared: null,
})
const report = (target: Reporter, from: number, to: number) => {
  for (let step = from; step < to; step++) target.addReading(reading(step))
}
const appliedSteps = () => server.applied.flatMap(({ steps }) => steps?.step ?? [])
const range = (to: number, from = 0) => Array.from({ length: to - from }, (_, index) => from + index)
const until = async (condition: () => boolean) => {
  for (let turn = 0; turn < 20_000 && !condition(); turn++)
    await new Promise((resolve) => setImmediate(resolve))
  expect(condition()).toBe(true)
}

describe('a reporter', () => {
  it('creates the run, sends in order with numbers from 1, and hands over every answer', async () => {
    reporter = newReporter()
    const start = await reporter.start(patience)
    expect(start?.plan).toEqual(plan)
    report(reporter, 0, 3)
    reporter.addProbe({
      kind: 'fork',
      step: 3,
      seconds: 1,
      learningRate: 0.1,
      stepCount: 2,
      raw: { loss: Number.NaN },
    })
    reporter.addAcknowledgement({ actionId: 'a', status: 'done', step: 3, detail: '' })
    expect(await reporter.flush(patience)).toBe(true)
    report(reporter, 3, 5)
    expect(await reporter.flush(patience)).toBe(true)
    expect(server.applied.map(({ sequence }) => sequence)).toEqual([1, 2])
    expect(server.applied[0]).toMatchObject({
      steps: { step: [0, 1, 2], loss: [0.5, 0.5, 0.5] },
      probes: [{ raw: { loss: Number.NaN } }],
      acknowledgements: [{ actionId: 'a' }],
    })
    expect(server.applied[0]?.steps?.microGradientNormSquared).toBeUndefined()
    expect(answers).toBe(3)
  })
  it('seals by count, and keeps numbers that are not finite', async () => {
    reporter = newReporter()
    await reporter.start(patience)
    reporter.addReading(reading(0, Number.POSITIVE_INFINITY))
    report(reporter, 1, batchStepsMax)
    await until(() => server.applied.length === 1)
    expect(server.applied[0]?.steps?.loss?.[0]).toBe(Number.POSITIVE_INFINITY)
    expect(server.applied[0]?.steps?.gradientNormSquared?.[1]).toBeCloseTo(1 / 3, 8)
  })
  it('with nothing to say sends nothing, unless it is to ask', async () => {
    reporter = newReporter()
    await reporter.start(patience)
    expect(await reporter.flush(patience)).toBe(true)
    expect(server.applied).toHaveLength(0)
    reporter.addPoll()
    expect(await reporter.flush(patience)).toBe(true)
    expect(server.applied).toEqual([{ clientId: 'c', sequence: 1 }])
  })
  it('does not wait beyond its time for a server that hangs, and loses nothing', async () => {
    reporter = newReporter()
    await reporter.start(patience)
    const release = server.hold()
    report(reporter, 0, 10)
    expect(await reporter.flush(5)).toBe(false)
    report(reporter, 10, 20)
    release()
    expect(await reporter.flush(patience)).toBe(true)
    expect(appliedSteps()).toEqual(range(20))
  })
})

describe('when the server goes away', () => {
  it('spools to disk, backs off further each time, and catches up in order', async () => {
    const backoffs: number[] = []
    reporter = newReporter({ backoffs })
    await reporter.start(patience)
    report(reporter, 0, 10)
    await reporter.flush(patience)
    await server.stop()
    report(reporter, 10, 20)
    expect(await reporter.flush(patience)).toBe(false)
    expect(reporter.status).toBe('offline')
    expect(existsSync(spoolFile())).toBe(true)
    report(reporter, 20, 300)
    await until(() => backoffs.length >= 5)
    expect(backoffs.slice(0, 4)).toEqual([187.5, 375, 750, 1500])
    await server.start()
    await until(() => reporter?.status === 'online')
    expect(await reporter.flush(patience)).toBe(true)
    report(reporter, 300, 310)
    expect(await reporter.flush(patience)).toBe(true)
    expect(appliedSteps()).toEqual(range(310))
    expect(existsSync(spoolFile())).toBe(false)
    expect(notices).toEqual([
      expect.stringMatching(
        /^the server cannot be reached \(.*\): training follows its last plan, reports wait in /,
      ),
      'the server answers again: catching up',
    ])
  })
  it('before the run was ever created, creates it later and sends everything', async () => {
    await server.stop()
    reporter = newReporter()
    expect(await reporter.start(patience)).toBeUndefined()
    report(reporter, 0, 120)
    await server.start()
    await until(() => reporter?.status === 'online')
    expect(await reporter.flush(patience)).toBe(true)
    expect(server.created).toHaveLength(1)
    expect(appliedSteps()).toEqual(range(120))
  })
  it('after the work was done but the answer was lost, nothing is applied twice', async () => {
    reporter = newReporter()
    await reporter.start(patience)
    server.fail(0, 2)
    report(reporter, 0, 10)
    await reporter.flush(patience)
    await until(() => reporter?.status === 'online')
    await reporter.flush(patience)
    expect(appliedSteps()).toEqual(range(10))
  })
  it.each([500, 503, 429, 408])('status %i is tried again', async (status) => {
    reporter = newReporter()
    await reporter.start(patience)
    server.fail(status, 3)
    report(reporter, 0, 10)
    await reporter.flush(patience)
    await until(() => reporter?.status === 'online')
    expect(await reporter.flush(patience)).toBe(true)
    expect(appliedSteps()).toEqual(range(10))
  })
  it('a full spool says so once, drops the newest, and leaves no gap', async () => {
    reporter = newReporter({ spoolBytes: 3_000 })
    await reporter.start(patience)
    await server.stop()
    report(reporter, 0, 10)
    await reporter.flush(patience)
    for (let batch = 1; batch < 200; batch++) {
      report(reporter, batch * 10, batch * 10 + 10)
      await reporter.flush(0)
    }
    expect(reporter.droppedSteps).toBeGreaterThan(0)
    expect(notices.filter((sentence) => sentence.includes('is full'))).toHaveLength(1)
    const kept = 2_000 - reporter.droppedSteps
    await server.start()
    await until(() => reporter?.status === 'online')
    await reporter.flush(patience)
    expect(appliedSteps()).toEqual(range(kept))
    expect(kept).toBeGreaterThan(memoryMessagesMax * 10)
    report(reporter, 2_000, 2_005)
    expect(await reporter.flush(patience)).toBe(true)
    expect(server.applied.at(-1)?.steps?.step).toEqual(range(2_005, 2_000))
  })
  it('and the process ends, the next process of the run sends the rest with its numbers', async () => {
    reporter = newReporter()
    await reporter.start(patience)
    report(reporter, 0, 10)
    await reporter.flush(patience)
    await server.stop()
    report(reporter, 10, 30)
    await reporter.flush(patience)
    report(reporter, 30, 33)
    reporter.close()
    expect(reporter.hasUnsent).toBe(true)
    expect(JSON.parse(readFileSync(spoolFile(), 'utf8').split('\n')[0]!)).toMatchObject({
      clientId: 'c',
      sequence: 2,
    })
    await server.start()
    reporter = newReporter()
    await reporter.start(patience)
    report(reporter, 33, 40)
    expect(await reporter.flush(patience)).toBe(true)
    expect(appliedSteps()).toEqual(range(40))
    expect(server.applied.map(({ sequence }) => sequence)).toEqual(range(server.applied.length + 1, 1))
  })
})

describe('sequence numbers', () => {
  it('of a fresh process go on where the server stands', async () => {
    server.sequences.set('c', 41)
    reporter = newReporter()
    await reporter.start(patience)
    report(reporter, 0, 5)
    expect(await reporter.flush(patience)).toBe(true)
    expect(server.applied.map(({ sequence }) => sequence)).toEqual([42])
  })
  it('follow a server that forgot some: the message at the gap is numbered anew and sent again', async () => {
    reporter = newReporter()
    await reporter.start(patience)
    report(reporter, 0, 5)
    await reporter.flush(patience)
    report(reporter, 5, 10)
    await reporter.flush(patience)
    server.sequences.set('c', 0)
    report(reporter, 10, 15)
    expect(await reporter.flush(patience)).toBe(true)
    report(reporter, 15, 20)
    expect(await reporter.flush(patience)).toBe(true)
    expect(server.applied.map(({ sequence }) => sequence)).toEqual([1, 2, 1, 2])
    expect(appliedSteps()).toEqual(range(20))
  })
  it('are found in the problem that the server answers', () => {
    expect(expectedSequence({ code: 'sequence-gap', expectedSequence: 7 })).toBe(7)
    expect(expectedSequence({ detail: 'conflict' })).toBeUndefined()
    expect(expectedSequence(null)).toBeUndefined()
  })
  it('that the server never takes end in a refusal, not in a loop', async () => {
    reporter = newReporter()
    await reporter.start(patience)
    server.fail(409, 100, { detail: 'not this one', expectedSequence: 5 })
    report(reporter, 0, 10)
    expect(await reporter.flush(patience)).toBe(false)
    expect(notices).toEqual([
      'the server refused the report (409: not this one); training goes on without it',
    ])
  })
})

describe('a refusal', () => {
  it.each([400, 404, 409, 422])(
    'with status %i is said once, and training goes on without reports',
    async (status) => {
      reporter = newReporter()
      await reporter.start(patience)
      server.fail(status, 1, { detail: 'run r is unknown' })
      report(reporter, 0, 10)
      expect(await reporter.flush(patience)).toBe(false)
      report(reporter, 10, 500)
      expect(await reporter.flush(patience)).toBe(false)
      expect(notices).toEqual([
        `the server refused the report (${status}: run r is unknown); training goes on without it`,
      ])
      expect([reporter.status, reporter.hasUnsent]).toEqual(['refused', false])
      expect(server.applied).toHaveLength(0)
    },
  )
  it('of the run itself ends the wait at once', async () => {
    server.fail(409, 1, { title: 'exists', detail: 'run r exists already' })
    reporter = newReporter()
    expect(await reporter.start(patience)).toBeUndefined()
    expect(reporter.status).toBe('refused')
  })
})

describe('the HTTP transport', () => {
  it('takes an answer that is no JSON as no answer', async () => {
    const send = createHttpTransport(`${server.url}/`)
    await expect(send({ method: 'GET', path: '/runs/r' })).resolves.toMatchObject({ status: 404, body: {} })
    await server.stop()
    await expect(send({ method: 'GET', path: '/runs/r' })).rejects.toThrow()
  })
})
