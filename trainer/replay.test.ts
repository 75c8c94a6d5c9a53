import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { segmentRate } from '../protocol/plan.ts'
import type { Schedule, Segment } from '../protocol/vocabulary.ts'
import { parseOptions } from './options.ts'
import { runTraining } from './run.ts'
import { type StandInServer, startStandInServer } from './testing/standInServer.ts'

const nine = (rate: number) => Number(rate.toPrecision(9))
const line: Segment = { fromStep: 40, toStep: 70, shape: 'oneMinusSqrt', from: 0.03, to: 0 }
const rateAt = (step: number) => (step < 40 ? 0.01 + 0.0005 * step : segmentRate(line, step))
/** A run that was exported in the midst of its anneal; its counter began at 500. */
const exported: Schedule = {
  runId: 'steered',
  budgetSteps: 570,
  step: 550,
  applied: Array.from({ length: 50 }, (_, step) => ({
    fromStep: 500 + step,
    toStep: 501 + step,
    learningRate: nine(rateAt(step)),
    momentum: 0.9,
  })),
  planned: [{ ...line, fromStep: 540, toStep: 570, momentum: 0.9 }],
}

let server: StandInServer
let folder: string
beforeEach(async () => {
  const other: Segment = { fromStep: 0, toStep: 70, shape: 'constant', from: 0.5, to: 0.5 }
  server = await startStandInServer({ version: 3, segments: [other] })
  folder = mkdtempSync(join(tmpdir(), 'twostep-replay-'))
})
afterEach(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
  expect(server.invalid).toEqual([])
  expect(tf.memory().numTensors).toBe(0)
})

function replay(...more: string[]) {
  const file = join(folder, 'schedule.json')
  writeFileSync(file, JSON.stringify(exported))
  const folders = ['--state-dir', join(folder, 'state'), '--spool-dir', join(folder, 'spool')]
  const given = ['--task', 'digits', '--backend', 'wasm', '--server', server.url, '--schedule', file]
  const options = parseOptions([...given, ...folders, ...more], {})
  if (options === 'help') throw new Error('the line must give options, got help')
  return runTraining(options, { emit: () => undefined, runId: 'r' })
}
const column = (name: 'step' | 'learningRate') => server.applied.flatMap(({ steps }) => steps?.[name] ?? [])

it('an exported schedule is trained by: as many steps, each at the rate of the file, whatever the server plans', async () => {
  const summary = await replay()
  expect(summary?.steps).toBe(70)
  expect(server.created).toMatchObject([{ mode: 'off', budgetSteps: 70 }])
  const steps = Array.from({ length: 70 }, (_, step) => step)
  expect(column('step')).toEqual(steps)
  expect(column('learningRate')).toEqual(steps.map((step) => nine(rateAt(step))))
})

it('the steps that are asked for are taken, and after the schedule where it ends holds', async () => {
  const summary = await replay('--steps', '75')
  expect(summary?.steps).toBe(75)
  expect(column('learningRate').slice(68)).toEqual([nine(rateAt(68)), nine(rateAt(69)), 0, 0, 0, 0, 0])
})
