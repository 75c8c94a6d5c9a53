// Runs whose regime is known by construction, trained for this benchmark alone: far below a good rate, near the rate of
// divergence, at it, and on all examples at once. The tuner is folded over them with its decisions off; what it calls
// each probe is kept beside the record, with the labels of forks from the run's own checkpoints.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RegimeName, regimeNames } from '../../protocol/vocabulary.ts'
import { regimeProbesNeeded } from '../../tuner/constants.ts'
import { everything, replay } from '../decisions/replay.ts'
import { type BenchTask, benchTask } from '../tasks.ts'
import type { TraceRun } from '../traces/format.ts'
import { tracedRun } from '../traces/generate.ts'
import { repositoryRoot } from '../traces/store.ts'
import { dropsOf, type Label, labelOf } from './label.ts'

export const controlNames = ['always-small', 'always-large', 'diverging', 'full-batch'] as const
export type ControlName = (typeof controlNames)[number]

export type ControlResult = {
  readonly name: ControlName
  readonly rate: number
  /** Probes from the eighth on. */
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
  diverging: ['large-step', 'small-step'],
  'full-batch': ['large-step'],
}

const base: BenchTask = { ...benchTask('digits'), name: 'control', optimizer: 'sgd', budgetSteps: 1_000 }
const goodRate = 0.1
const fullBatch: BenchTask = { ...base, trainExamples: 1_000, batchSize: 1_000, budgetSteps: 400 }
const firstTriedRate = 0.1
const triedRatesMax = 14
/** A run whose mean training loss at the end exceeds that of its first steps by this factor has diverged. */
const divergedFactor = 1.2
const comparedSteps = 10
const seed = 1

const controlFile = (): string =>
  join(repositoryRoot(), 'bench', 'records', '2026-11-24-regime', 'controls.json')

/** Missing before the first training: then there is no control. */
export function loadControls(file = controlFile()): ControlResult[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ControlResult[]) : []
}

export function saveControls(results: readonly ControlResult[], file = controlFile()): void {
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`)
}

const meanLoss = (losses: readonly number[]): number =>
  losses.reduce((sum, loss) => sum + loss, 0) / losses.length

export function hasDiverged({ divergedAtStep, loss }: Pick<TraceRun, 'divergedAtStep' | 'loss'>): boolean {
  if (divergedAtStep !== null) return true
  const end = meanLoss(loss.slice(-comparedSteps))
  return !(end <= divergedFactor * meanLoss(loss.slice(0, comparedSteps)))
}

/** The smallest rate of a doubling grid that diverges, and its run. @throws Error if none does. */
async function divergingRun(): Promise<TraceRun> {
  let rate = firstTriedRate
  for (let tried = 0; tried < triedRatesMax; tried++, rate *= 2) {
    const run = await tracedRun(base, { rate, seed })
    if (hasDiverged(run)) return run
  }
  throw new Error(`a rate of up to ${rate / 2} must diverge for the controls, none did`)
}

/** Minutes on one core. */
export async function trainedControls(): Promise<ControlResult[]> {
  const diverging = await divergingRun()
  const half = diverging.rate / 2
  return [
    controlOf('always-small', base, await tracedRun(base, { rate: goodRate / 100, seed })),
    controlOf('always-large', base, await tracedRun(base, { rate: half, seed })),
    controlOf('diverging', base, diverging),
    controlOf('full-batch', fullBatch, await tracedRun(fullBatch, { rate: goodRate, seed })),
  ]
}

export function controlOf(name: ControlName, task: BenchTask, run: TraceRun): ControlResult {
  const called: RegimeName[] = []
  replay(task, run, { ...everything, mode: 'off' }, ({ signals, regime }) => {
    if (signals.valley.count >= regimeProbesNeeded) called.push(regime.name)
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
