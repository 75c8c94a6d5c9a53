// Small jobs that a gate must stay closed on: the six traced tasks (every rate and seed), made-up runs, and PyTorch jobs whose logs
// lie in a folder, as `twostep export` writes them. All are seen by the whole tuner, held at their rate.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Observation } from '../../protocol/vocabulary.ts'
import { initialState, tune } from '../../tuner/index.ts'
import { syntheticRun } from '../../tuner/testing/syntheticRun.ts'
import { loadedTasks } from '../decisions/main.ts'
import { everything, replay } from '../decisions/replay.ts'
import { type FeatureRecord, featuresOf } from './features.ts'

export const smallKinds = ['traced', 'made up', 'PyTorch'] as const
export type SmallJob = {
  readonly kind: (typeof smallKinds)[number]
  readonly name: string
  readonly length: number
  /** At the probes of the large step. */
  readonly records: readonly FeatureRecord[]
}

/** Gradient noise is left out: the rule that is judged knows D alone. */
export function tracedJobs(): SmallJob[] {
  return loadedTasks().flatMap(({ traces: { header, runs } }) =>
    runs.map((run): SmallJob => {
      const records: FeatureRecord[] = []
      replay(header.task, run, { ...everything, mode: 'held', gradientNoise: false }, (state) =>
        records.push(featuresOf(state)),
      )
      return {
        kind: 'traced',
        name: `${header.task.name} at ${run.rate}, seed ${run.seed}`,
        length: run.budgetSteps,
        records,
      }
    }),
  )
}

const madeUpBudgets = [1_500, 3_000, 6_000] as const
const madeUpSeeds = 5

/** The noisy quadratic, at a rate that suits it. */
export const madeUpJobs = (): SmallJob[] =>
  madeUpBudgets.flatMap((budgetSteps) =>
    Array.from({ length: madeUpSeeds }, (_, index): SmallJob => {
      const seed = index + 1
      const { log } = syntheticRun({
        seed,
        budgetSteps,
        learningRate: 0.02,
        capabilities: ['heldOutLoss', 'averagedWeights'],
      })
      return { kind: 'made up', ...foldedJob(`quadratic of ${budgetSteps}, seed ${seed}`, log) }
    }),
  )

/** @throws Error for a file that is no log. */
export function loggedJobs(folder: string): SmallJob[] {
  const files = readdirSync(folder).filter((file) => /\.ndjson(?:\.gz)?$/.test(file))
  return files.sort().map((file) => ({ kind: 'PyTorch', ...foldedJob(file, logOf(join(folder, file))) }))
}

function logOf(file: string): Observation[] {
  const bytes = readFileSync(file)
  const [header, ...lines] = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes)
    .toString('utf8')
    .trim()
    .split('\n')
  if (!header?.includes('"twostep-log"')) throw new Error(`${file} is no log as \`twostep export\` writes it`)
  return lines
    .map((line) => JSON.parse(line) as { number?: number; receivedAt: string; kind: string; body: object })
    .filter(({ number }) => number !== undefined)
    .map(({ number, receivedAt, kind, body }) => ({ number, receivedAt, kind, ...body }) as Observation)
}

/** A run of the tuner's own: what it saw at the probes of its large step. */
export function foldedJob(name: string, log: readonly Observation[]): Omit<SmallJob, 'kind'> {
  const records: FeatureRecord[] = []
  let state = initialState()
  for (const observation of log) {
    const wasLarge = state.course.kind === 'large'
    state = tune(state, observation).state
    if (wasLarge && observation.kind === 'probe' && observation.probe.kind === 'valley')
      records.push(featuresOf(state))
  }
  return { name, length: records.at(-1)?.length ?? 0, records }
}
