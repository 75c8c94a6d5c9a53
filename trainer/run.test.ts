import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Plan } from '../protocol/vocabulary.ts'
import { eventLine, eventSentence, type TrainerEvent } from './events.ts'
import { parseOptions, type TrainOptions } from './options.ts'
import { createHttpTransport, type Transport } from './reporting/transport.ts'
import { runTraining } from './run.ts'
import { type StandInServer, startStandInServer } from './testing/standInServer.ts'

const plan: Plan = {
  version: 1,
  segments: [
    { fromStep: 0, toStep: 40, shape: 'constant', from: 0.02, to: 0.02, phase: 'large' },
    { fromStep: 40, toStep: 80, shape: 'linear', from: 0.02, to: 0, phase: 'anneal' },
  ],
  cadence: { blockSteps: 5, valleySteps: 20, lineSteps: 40, microBatchSteps: 10 },
}

let server: StandInServer
let folder: string
let events: TrainerEvent[]
beforeEach(async () => {
  server = await startStandInServer(plan)
  folder = mkdtempSync(join(tmpdir(), 'twostep-run-'))
  events = []
})
afterEach(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
  expect(server.invalid).toEqual([])
  expect(tf.memory().numTensors).toBe(0)
})

function options(line: string): TrainOptions {
  const folders = ['--state-dir', join(folder, 'state'), '--spool-dir', join(folder, 'spool')]
  const parsed = parseOptions(
    [
      '--task',
      'digits',
      '--steps',
      '80',
      '--backend',
      'wasm',
      ...folders,
      ...line.split(' ').filter(Boolean),
    ],
    {},
  )
  if (parsed === 'help') throw new Error('the line must give options, got help')
  return parsed
}
const emit = (event: TrainerEvent) => events.push(event)
const appliedSteps = () => server.applied.flatMap(({ steps }) => steps?.step ?? [])

describe('a whole run', () => {
  it('trains by the server’s plan on real digits, and sums up what it did', async () => {
    const summary = await runTraining(options(`--server ${server.url} --name first`), { emit, runId: 'r' })
    expect(summary).toMatchObject({
      event: 'summary',
      runId: 'r',
      steps: 80,
      budgetSteps: 80,
      switchStep: 40,
      largeLearningRate: 0.02,
      kept: 'last',
      backend: 'wasm',
      seed: 1,
    })
    expect(summary?.testAccuracy).toBeGreaterThan(0.5)
    expect(summary?.probeShare).toBeGreaterThan(0)
    expect(server.created).toMatchObject([
      {
        runId: 'r',
        name: 'first',
        budgetSteps: 80,
        optimizer: { name: 'momentum', family: 'sgd', momentum: 0.9 },
        learningRate: { initial: null },
        capabilities: [
          'checkpoint',
          'rewind',
          'heldOutLoss',
          'averagedWeights',
          'lineProbe',
          'microBatchNorms',
          'momentum',
        ],
      },
    ])
    expect(appliedSteps()).toEqual(Array.from({ length: 80 }, (_, step) => step))
    expect(server.applied.flatMap(({ probes }) => probes ?? [])).toHaveLength(6)
    expect(existsSync(join(folder, 'state', 'r'))).toBe(false)
    expect(events.at(-1)).toEqual(summary)
  })
  it('that is stopped says how to go on, and goes on with the same numbers', async () => {
    server.actions = [{ id: 'save', kind: 'checkpoint', atStep: 10, checkpoint: 'ten' }]
    const stop = new AbortController()
    const send = createHttpTransport(server.url)
    const transport: Transport = (request) => {
      if (server.applied.length >= 2) stop.abort()
      return send(request)
    }
    const given = options('--run-id r')
    expect(await runTraining(given, { emit, runId: 'r', transport, stop: stop.signal })).toBeUndefined()
    const before = appliedSteps().length
    expect(before).toBeLessThan(80)
    const said = events.flatMap((event) => (event.event === 'notice' ? [event.message] : []))
    expect(said.at(-1)).toBe(
      `stopped before step ${before} of 80; go on with --run-id r --resume and the same options`,
    )
    expect(readdirSync(join(folder, 'state', 'r')).sort()).toEqual(['ten.checkpoint', '~newest.checkpoint'])
    server.actions = [
      { id: 'back', kind: 'restore', atStep: 0, checkpoint: 'ten', rewindData: true, skipBatches: 0 },
    ]
    const summary = await runTraining(options(`--server ${server.url} --run-id r --resume`), {
      emit,
      runId: 'r',
    })
    expect(summary?.steps).toBe(80)
    expect(server.created).toMatchObject([{ resume: 'never' }, { resume: 'must' }])
    expect(appliedSteps()).toEqual(Array.from({ length: 80 }, (_, step) => step))
    expect(server.applied.flatMap(({ acknowledgements }) => acknowledgements ?? []).at(-1)).toMatchObject({
      actionId: 'back',
      status: 'done',
    })
  })
  it('that cannot be resumed says why', async () => {
    await expect(runTraining(options('--run-id none --resume'), { emit, runId: 'none' })).rejects.toThrow(
      'there is nothing to resume from',
    )
  })
})

describe('what a trainer says', () => {
  const progress = {
    event: 'progress',
    step: 5,
    loss: Number.NaN,
    learningRate: 0.1,
    phase: 'large',
    budgetSteps: 10,
  } as const
  it('is one line of JSON for a program, with numbers that are not finite by name', () => {
    expect(eventLine(progress)).toBe(
      '{"event":"progress","step":5,"loss":"NaN","learningRate":0.1,"phase":"large","budgetSteps":10}',
    )
  })
  it('is a sentence for a person', () => {
    expect(eventSentence(progress)).toBe('step 5 of 10: loss NaN, learning rate 0.100, large')
    expect(eventSentence({ ...progress, loss: null, budgetSteps: null, phase: null })).toBe(
      'step 5: loss unknown, learning rate 0.100',
    )
    expect(eventSentence({ event: 'notice', message: 'so' })).toBe('so')
  })
})
