// A reporter before the stand-in server, for tests: fresh for each test, with time that stands still but for waits,
// which take no time, so that a retry comes at once and no message is sealed by its age.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import type { Plan } from '../../protocol/vocabulary.ts'
import { createReporter } from '../reporting/reporter.ts'
import type { Reporter } from '../reporting/reporterTypes.ts'
import { openSpool } from '../reporting/spool.ts'
import { createHttpTransport } from '../reporting/transport.ts'
import type { StepReading } from '../signals.ts'
import { type StandInServer, startStandInServer } from './standInServer.ts'

export const benchPlan: Plan = {
  version: 1,
  segments: [{ fromStep: 0, toStep: 100, shape: 'constant', from: 0.1, to: 0.1 }],
}
/** Milliseconds, long enough for any local request; nothing waits so long unless it fails. */
export const patience = 5_000

export type ReporterBench = {
  readonly server: StandInServer
  readonly notices: string[]
  /** Milliseconds of the waits between attempts. */
  readonly backoffs: number[]
  readonly answerCount: number
  readonly spoolFile: string
  newReporter(spoolBytes?: number): Reporter
  appliedSteps(): number[]
}

/** Sets a fresh bench up before each test of the file, and takes it down after it. */
export function useReporterBench(): ReporterBench {
  let server: StandInServer
  let folder: string
  let reporters: Reporter[] = []
  let answerCount = 0
  const notices: string[] = []
  const backoffs: number[] = []
  beforeEach(async () => {
    server = await startStandInServer(benchPlan)
    folder = mkdtempSync(join(tmpdir(), 'twostep-reporter-'))
    reporters = []
    answerCount = 0
    notices.length = 0
    backoffs.length = 0
  })
  afterEach(async () => {
    for (const reporter of reporters) reporter.close()
    await server.stop()
    rmSync(folder, { recursive: true })
    expect(server.invalid).toEqual([])
  })
  // Waits for an answer end by their signal; a backoff ends when the loop has turned once.
  const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve())
      if (ms >= patience) return
      backoffs.push(ms)
      setImmediate(resolve)
    })
  const bench: ReporterBench = {
    get server() {
      return server
    },
    notices,
    backoffs,
    get answerCount() {
      return answerCount
    },
    get spoolFile() {
      return join(folder, 'r.ndjson')
    },
    newReporter: (spoolBytes) => {
      const reporter = createReporter({
        transport: createHttpTransport(server.url),
        spool: openSpool(bench.spoolFile, spoolBytes),
        runId: 'r',
        clientId: 'c',
        create: { runId: 'r', resume: 'allow' },
        onAnswer: () => {
          answerCount++
        },
        onNotice: (sentence) => notices.push(sentence),
        now: () => 0,
        random: () => 0.5,
        sleep,
      })
      reporters.push(reporter)
      return reporter
    },
    appliedSteps: () => server.applied.flatMap(({ steps }) => steps?.step ?? []),
  }
  return bench
}

export const reading = (step: number, loss = 0.5): StepReading => ({
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

/** Reports the steps from `from` to `to` (exclusive). */
export function report(reporter: Reporter, from: number, to: number): void {
  for (let step = from; step < to; step++) reporter.addReading(reading(step))
}

/** Lets the event loop turn until the condition holds; fails after 20,000 turns. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000 && !condition(); turn++)
    await new Promise((resolve) => setImmediate(resolve))
  expect(condition()).toBe(true)
}
