import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Action, Plan, ValleyProbe } from '../protocol/vocabulary.ts'
import type { Backend } from './backends/backend.ts'
import { openBackend } from './backends/openBackend.ts'
import type { TrainerEvent } from './events.ts'
import { createPlanFollower, type PlanFollower } from './planFollower.ts'
import { createReporter } from './reporting/reporter.ts'
import type { Reporter } from './reporting/reporterTypes.ts'
import { openSpool } from './reporting/spool.ts'
import { createHttpTransport } from './reporting/transport.ts'
import { answerHandler, runSession, type SessionOptions, sessionLimits } from './session.ts'
import { smallTrainer } from './testing/smallTrainer.ts'
import { type StandInServer, startStandInServer } from './testing/standInServer.ts'
import type { Trainer } from './trainer.ts'

const stepsMax = 30
const cadence = { blockSteps: 4, valleySteps: 8, lineSteps: 16, microBatchSteps: 5 }
const plan = (version: number, more: Partial<Plan> = {}): Plan => ({
  version,
  segments: [
    { fromStep: 0, toStep: 20, shape: 'constant', from: 0.02, to: 0.02, phase: 'large' },
    { fromStep: 20, toStep: stepsMax, shape: 'linear', from: 0.02, to: 0, phase: 'anneal' },
  ],
  cadence,
  ...more,
})

let backend: Backend
let server: StandInServer
let folder: string
let events: TrainerEvent[]
let trainer: Trainer
let follower: PlanFollower
let reporter: Reporter
let afterAnswer: () => void
beforeAll(async () => {
  backend = (await openBackend('wasm')).backend
})
beforeEach(async () => {
  server = await startStandInServer(plan(1))
  folder = mkdtempSync(join(tmpdir(), 'twostep-session-'))
  events = []
  afterAnswer = () => undefined
  trainer = smallTrainer(backend)
  follower = createPlanFollower({ plan: plan(0, { cadence: null }), ownMomentum: 0.9 })
  reporter = createReporter({
    transport: createHttpTransport(server.url),
    spool: openSpool(join(folder, 'r.ndjson')),
    runId: 'r',
    clientId: 'c',
    create: { runId: 'r', resume: 'allow' },
    onAnswer: (answer) => {
      answerHandler(follower, (event) => events.push(event))(answer)
      afterAnswer()
    },
    onNotice: (message) => events.push({ event: 'notice', message }),
  })
})
afterEach(async () => {
  reporter.close()
  trainer.dispose()
  await server.stop()
  rmSync(folder, { recursive: true })
  expect(server.invalid).toEqual([])
  expect(tf.memory().numTensors).toBe(0)
})

async function run(more: Partial<SessionOptions> = {}) {
  await reporter.start(5_000)
  return runSession({
    trainer,
    follower,
    reporter,
    stepsMax,
    budgetSteps: stepsMax,
    stepsPerRead: 1,
    emit: (event) => events.push(event),
    ...more,
  })
}
const applied = () => ({
  steps: server.applied.flatMap(({ steps }) => steps?.step ?? []),
  rates: server.applied.flatMap(({ steps }) => steps?.learningRate ?? []),
  probes: server.applied.flatMap(({ probes }) => probes ?? []),
  acknowledgements: server.applied.flatMap(({ acknowledgements }) => acknowledgements ?? []),
})
const range = (to: number) => Array.from({ length: to }, (_, index) => index)
const windowsOf = (probe: unknown) => (probe as ValleyProbe).averaged.map(({ windowSteps }) => windowSteps)
const notices = () => events.flatMap((event) => (event.event === 'notice' ? [event.message] : []))

describe('a session', () => {
  it('takes every step once by the plan’s rate, and probes by its cadence', async () => {
    const result = await run()
    const { steps, rates, probes } = applied()
    expect(steps).toEqual(range(stepsMax))
    expect(rates[19]).toBe(0.02)
    expect(rates[25]).toBeCloseTo(0.01, 9)
    expect(probes.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      'valley 8',
      'valley 16',
      'line 16',
      'valley 24',
    ])
    expect(windowsOf(probes[1])).toEqual([16])
    expect(result).toMatchObject({
      steps: stepsMax,
      kept: 'last',
      switchStep: 20,
      largeLearningRate: 0.02,
      wasStopped: false,
    })
    expect(result.probeSeconds).toBeGreaterThan(0)
  })
  it('gives the same losses whether signals are read every step or every 7 steps', async () => {
    await run()
    const first = server.applied.flatMap(({ steps }) => steps?.loss ?? [])
    server.applied.length = 0
    trainer.dispose()
    trainer = smallTrainer(backend)
    follower.restoredAt(0)
    await run({ stepsPerRead: 7 })
    expect(server.applied.flatMap(({ steps }) => steps?.loss ?? [])).toEqual(first)
  })
  it('without a reporter follows its plan alone', async () => {
    const result = await run({ reporter: undefined })
    expect(result).toMatchObject({ steps: stepsMax, switchStep: 20 })
  })
  it('does actions at their step, in order, and acknowledges each', async () => {
    server.actions = [
      { id: 'save', kind: 'checkpoint', atStep: 5, checkpoint: 'five' },
      { id: 'back', kind: 'restore', atStep: 10, checkpoint: 'five', rewindData: true, skipBatches: 0 },
      { id: 'look', kind: 'probe', atStep: 12, probe: 'valley' },
      { id: 'wrong', kind: 'restore', atStep: 13, checkpoint: 'six', rewindData: true, skipBatches: 0 },
      { id: 'gone', kind: 'drop', atStep: 14, checkpoint: 'five' },
    ]
    await run()
    const { acknowledgements, probes, steps } = applied()
    expect(acknowledgements.map(({ actionId, status, step }) => `${actionId} ${status} ${step}`)).toEqual([
      'save done 5',
      'back done 10',
      'look done 12',
      'wrong failed 13',
      'gone done 14',
    ])
    expect(acknowledgements[3]?.detail).toBe('checkpoint must be one of five, got six')
    expect(notices()).toContain('action restore (wrong) failed: checkpoint must be one of five, got six')
    // Steps go on counting after the restore, and the cadence counts from it: probes at 8, then 10 + 8 and 10 + 16.
    expect(steps).toEqual(range(stepsMax))
    expect(probes.filter(({ kind }) => kind === 'valley').map(({ step }) => step)).toEqual([8, 12, 18, 26])
    const losses = server.applied.flatMap(({ steps: columns }) => columns?.loss ?? [])
    // Step 5 was split for its micro-batch norms, step 10 too: the same weights and batch give the same loss.
    expect(losses[10]).toBe(losses[5])
  })
  it('measures in full what is asked for by name, also where the cadence asks for it at the same step', async () => {
    server.actions = [{ id: 'look', kind: 'probe', atStep: 16, probe: 'valley' }]
    await run()
    const valleys = applied().probes.filter(({ kind }) => kind === 'valley')
    expect(valleys.map(({ step }) => step)).toEqual([8, 16, 24])
    expect(valleys.map(windowsOf)).toEqual([[8], [4, 8, 16], [16]])
  })
  it('does what an answer brings for this very step before it takes the step', async () => {
    server.actions = [{ id: 'one', kind: 'probe', atStep: 0, probe: 'valley' }]
    afterAnswer = () => {
      server.actions = [{ id: 'two', kind: 'checkpoint', atStep: 0, checkpoint: 'x' }]
    }
    await run()
    expect(applied().acknowledgements.map(({ actionId, step }) => [actionId, step])).toEqual([
      ['one', 0],
      ['two', 0],
    ])
  })
  it('waits for the answer where the plan asks for it', async () => {
    server.plan = plan(1, { awaitAtStep: 6 })
    afterAnswer = () => {
      const segment = { fromStep: 0, toStep: 30, shape: 'constant', from: 0.5, to: 0.5 } as const
      server.plan = { version: 2, segments: [segment] }
    }
    await run()
    expect(applied().rates.slice(4, 8)).toEqual([0.02, 0.02, 0.5, 0.5])
  })
  it('ends at a finish action with the weights it names', async () => {
    server.actions = [{ id: 'end', kind: 'finish', atStep: 9, keep: 'averaged' }]
    const result = await run()
    expect(result).toMatchObject({ steps: 9, kept: 'averaged' })
    expect(applied().acknowledgements).toMatchObject([{ actionId: 'end', status: 'done', step: 9 }])
  })
  it('at the end of its budget goes on if the plan has grown, and ends there', async () => {
    const { segments } = plan(2)
    server.plan = plan(2, {
      segments: [...segments, { fromStep: 30, toStep: 40, shape: 'constant', from: 0.01, to: 0.01 }],
    })
    expect((await run()).steps).toBe(40)
  })
  it('stops before the next step when told to', async () => {
    const stop = new AbortController()
    const result = await run({ stop: stop.signal, afterStep: () => trainer.stepCount === 7 && stop.abort() })
    expect(result).toMatchObject({ steps: 7, wasStopped: true })
    expect(applied().steps).toEqual(range(7))
  })
  it('does not use a plan that is none, and says so', async () => {
    await reporter.start(5_000)
    answerHandler(follower, (event) => events.push(event))({
      plan: { version: 9, segments: [] },
      actions: [],
    })
    expect(follower.plan.version).toBe(1)
    expect(notices()).toEqual([
      "the server's plan is not used: plan.segments must hold at least one segment, got none",
    ])
  })
  it('of a given schedule does not take weights back', async () => {
    follower = createPlanFollower({ plan: plan(0), ownMomentum: 0.9, isFixed: true })
    server.actions = [
      { id: 'back', kind: 'restore', atStep: 3, checkpoint: 'x', rewindData: false, skipBatches: 0 },
    ]
    await run()
    expect(applied().acknowledgements).toMatchObject([{ actionId: 'back', status: 'unsupported', step: 3 }])
  })
})

describe('a paused session', () => {
  const pauseAt = (step: number): Action => ({ id: 'hold', kind: 'pause', atStep: step })
  it('asks until it may go on', async () => {
    server.actions = [pauseAt(4)]
    let waits = 0
    await run({
      sleep: () => {
        if (++waits === 3) server.actions = [{ id: 'go', kind: 'resume', atStep: 0 }]
        return Promise.resolve()
      },
    })
    expect(waits).toBe(3)
    expect(applied().acknowledgements.map(({ actionId, step }) => [actionId, step])).toEqual([
      ['hold', 4],
      ['go', 4],
    ])
    expect(applied().steps).toEqual(range(stepsMax))
  })
  it('goes on by itself when the server stays away', async () => {
    server.actions = [pauseAt(4)]
    let seconds = 0
    await run({
      clock: () => seconds,
      sleep: async () => {
        await server.stop()
        seconds += 5
      },
      limits: { ...sessionLimits, answerMsMax: 500, awaitMsMax: 500, drainMsMax: 100 },
    })
    expect(trainer.stepCount).toBe(stepsMax)
    expect(notices()).toContain('paused, and the server does not answer any more: training goes on')
    expect(seconds).toBe(60)
  })
})

describe('a session whose server dies', () => {
  it('goes on by the last plan, obeys the tripwire, and every step arrives once when the server is back', async () => {
    const tripwire = { lossAbove: 1e-6, gradientNormAbove: null, thenLearningRate: 0.001 }
    const afterStep = () => {
      if (trainer.stepCount === 10) void server.stop()
    }
    server.plan = plan(1, { cadence: null })
    await reporter.start(5_000)
    follower.receive({ plan: plan(2, { cadence: null, tripwire }), actions: [] })
    const result = await run({ afterStep, limits: { ...sessionLimits, awaitMsMax: 300, drainMsMax: 100 } })
    expect(result.steps).toBe(stepsMax)
    expect(reporter.status).toBe('offline')
    await server.start()
    while (reporter.status !== 'online' || reporter.hasUnsent)
      await new Promise((resolve) => setImmediate(resolve))
    const { steps, rates } = applied()
    expect(steps).toEqual(range(stepsMax))
    expect(rates.slice(12, 20)).toEqual(Array(8).fill(0.001))
  })

  it('whose server comes back only after its last step delivers the rest before it ends', async () => {
    const afterStep = () => {
      if (trainer.stepCount === 10) void server.stop()
    }
    server.plan = plan(1, { cadence: null })
    await reporter.start(5_000)
    follower.receive({ plan: plan(2, { cadence: null }), actions: [] })
    const back = (async () => {
      while (trainer.stepCount < stepsMax || reporter.status !== 'offline')
        await new Promise((resolve) => setImmediate(resolve))
      await server.start()
    })()
    const result = await run({ afterStep, limits: { ...sessionLimits, awaitMsMax: 300 } })
    await back
    expect(result.steps).toBe(stepsMax)
    expect(reporter.hasUnsent).toBe(false)
    expect(applied().steps).toEqual(range(stepsMax))
  })
})
