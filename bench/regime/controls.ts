// Runs whose regime is known by construction, trained for this benchmark alone: far below a good rate, near the rate
// that learns no more, climbing beyond it until training comes apart, and on all examples at once. The tuner is folded
// over them with its decisions off; what it calls each probe is kept beside the record, with the labels of forks from
// the run's own checkpoints.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RegimeName, regimeNames } from '../../protocol/vocabulary.ts'
import { disposeCheckpoint } from '../../trainer/checkpoints.ts'
import { buildTrainer } from '../../trainer/run.ts'
import { gapSharesNeeded } from '../../tuner/estimators/gapShare.ts'
import { everything, replay } from '../decisions/replay.ts'
import { type BenchTask, benchTask, jobOf } from '../tasks.ts'
import type { TraceRun } from '../traces/format.ts'
import { tracedRun } from '../traces/generate.ts'
import { largeRun } from '../traces/largeRun.ts'
import { repositoryRoot } from '../traces/store.ts'
import { dropsOf, type Label, labelOf } from './label.ts'

export const controlNames = ['always-small', 'always-large', 'diverging', 'full-batch'] as const
export type ControlName = (typeof controlNames)[number]

export type ControlResult = {
  readonly name: ControlName
  readonly rate: number
  /** Probes from the fourth on, and of the diverging run from the one on that has come apart. */
  readonly probes: number
  readonly named: Readonly<Record<RegimeName, number>>
  readonly wrongShare: number
  /** By fork, in the order of the checkpoints. */
  readonly labels: readonly Label[]
  readonly finalLoss: number | null
}

/** What a probe of each run must not be called. */
const wrongNames: Readonly<Record<ControlName, readonly RegimeName[]>> = {
  'always-small': ['large-step', 'unstable'],
  'always-large': ['small-step'],
  diverging: ['large-step'],
  'full-batch': ['large-step'],
}

const base: BenchTask = { ...benchTask('digits'), name: 'control', optimizer: 'sgd', budgetSteps: 1_000 }
const goodRate = 0.1
const fullBatch: BenchTask = { ...base, trainExamples: 1_000, batchSize: 1_000, budgetSteps: 400 }
const firstTriedRate = 0.1
const triedRatesMax = 14
/** A run that ends above this share of its first steps' loss has learned nothing. */
const learnedShareMax = 0.5
const comparedSteps = 10
/** The climbing run ends at this multiple of the largest rate that learns. */
const climbFactor = 8
/** A probe loss above this multiple of the best one has come apart. */
const apartFactor = 2
const seed = 1

const controlFile = (): string =>
  join(repositoryRoot(), 'bench', 'records', '2026-11-28-regime', 'controls.json')

/** Missing before the first training: then there is no control. */
export function loadControls(file = controlFile()): ControlResult[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ControlResult[]) : []
}

export function saveControls(results: readonly ControlResult[], file = controlFile()): void {
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`)
}

const meanLoss = (losses: readonly number[]): number =>
  losses.reduce((sum, loss) => sum + loss, 0) / losses.length

export function hasLearned({ divergedAtStep, loss }: Pick<TraceRun, 'divergedAtStep' | 'loss'>): boolean {
  const end = meanLoss(loss.slice(-comparedSteps))
  return divergedAtStep === null && end <= learnedShareMax * meanLoss(loss.slice(0, comparedSteps))
}

/** The largest rate of a doubling grid that learns, before the first that does not. @throws Error if all do. */
async function largestRun(): Promise<TraceRun> {
  let run = await tracedRun(base, { rate: firstTriedRate, seed })
  for (let tried = 1; tried < triedRatesMax; tried++) {
    const next = await tracedRun(base, { rate: run.rate * 2, seed })
    if (!hasLearned(next)) return run
    run = next
  }
  throw new Error(`a rate of up to ${run.rate} must be too large for the controls, none was`)
}

/** Climbs over the whole run from a tenth of a rate to a multiple of it, without forks. */
async function climbingRun(from: number): Promise<TraceRun> {
  const key = { rate: climbFactor * from, seed, rampSteps: base.budgetSteps, rampFrom: 0.1 / climbFactor }
  const built = await buildTrainer({ ...jobOf(base, { seed }), batchSize: base.batchSize, backend: 'wasm' })
  try {
    const { observed, checkpoints } = await largeRun(base, key, built)
    for (const { checkpoint } of checkpoints) disposeCheckpoint(checkpoint)
    return { ...observed, checkpoints: [], final: null }
  } finally {
    built.trainer.dispose()
  }
}

/** Minutes on one core. */
export async function trainedControls(): Promise<ControlResult[]> {
  const large = await largestRun()
  return [
    controlOf('always-small', base, await tracedRun(base, { rate: goodRate / 100, seed })),
    controlOf('always-large', base, large),
    controlOf('diverging', base, await climbingRun(large.rate)),
    controlOf('full-batch', fullBatch, await tracedRun(fullBatch, { rate: goodRate, seed })),
  ]
}

export function controlOf(name: ControlName, task: BenchTask, run: TraceRun): ControlResult {
  const called: RegimeName[] = []
  let best = Number.POSITIVE_INFINITY
  let isApart = false
  replay(task, run, { ...everything, mode: 'off' }, ({ seen, regime }) => {
    const newest = seen.signals.probeLosses.at(-1)!
    best = Math.min(best, newest)
    isApart ||= newest > apartFactor * best
    if (seen.signals.valley.count >= gapSharesNeeded && (name !== 'diverging' || isApart))
      called.push(regime.name)
  })
  const count = (regime: RegimeName) => called.filter((entry) => entry === regime).length
  const wrong = called.filter((regime) => wrongNames[name].includes(regime)).length
  return {
    name,
    rate: run.rate,
    probes: called.length,
    named: Object.fromEntries(regimeNames.map((regime) => [regime, count(regime)])) as Record<
      RegimeName,
      number
    >,
    wrongShare: called.length === 0 ? 0 : wrong / called.length,
    labels: run.checkpoints.map((checkpoint) => labelOf(dropsOf(checkpoint, 'train'))),
    finalLoss: run.final?.train.loss ?? null,
  }
}
