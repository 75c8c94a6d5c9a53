// How fast the decision engine folds, on one core: a run of 10,000,000 steps with a budget, reported in the built-in
// trainer's batches, with probes and actions as the plan asks for them. The job needs answers, so every tenth chunk of
// the run is folded twice: once to make its log, once more from the same state for the measurement, which is of processor
// time with garbage collection (other work on the machine slows the clock, and that only a little). Measured: samples a
// second, what a probe costs, whether cost grows with the run's length, and the state's size as JSON.
// `--json` prints one line; `--steps N` makes the run shorter or longer.

import type { Observation } from '../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../tuner/index.ts'
import { ReportedJob, startOf } from './reportedJob.ts'

const seed = 1
/** Steps in a report, as the built-in trainer sends them. */
const batchSteps = 50
const chunkSteps = 20_000
/** Of the first row every chunk is measured, later every so many. */
const chunksPerMeasurement = 10
/** A row of the table is the run up to so many steps, from the row before on. */
const firstRowSteps = 100_000
/** Steps of a run beforehand, so that what is measured is compiled. */
const practiceSteps = 200_000

type Stretch = {
  readonly toStep: number
  readonly nanosecondsPerSample: number
  readonly microsecondsPerProbe: number | null
  /** Probes included. */
  readonly samplesPerSecond: number
  readonly stateKilobytes: number
}

export type FoldFigures = {
  readonly node: string
  readonly steps: number
  readonly probesMeasured: number
  readonly decisions: number
  /** Steps over processor time in `tune`, of all that was measured, probes included. */
  readonly samplesPerSecond: number
  readonly stretches: readonly Stretch[]
  readonly stateKilobytesMax: number
  /** Largest cost of a sample over the smallest, between the stretches. */
  readonly costRatio: number
}

const kilobytes = (state: TunerState): number => Buffer.byteLength(JSON.stringify(state)) / 1_024

/** Processor time in ms, and the clock's ms of samples and of probes. */
type Cost = { ms: number; samplesMs: number; probesMs: number; samples: number; probes: number }
const noCost = (): Cost => ({ ms: 0, samplesMs: 0, probesMs: 0, samples: 0, probes: 0 })

function measured(state: TunerState, log: readonly Observation[]): Cost {
  const cost = noCost()
  let current = state
  const before = process.cpuUsage()
  for (const observation of log) {
    const startedAt = performance.now()
    current = tune(current, observation).state
    const ms = performance.now() - startedAt
    if (observation.kind === 'probe') {
      cost.probes++
      cost.probesMs += ms
    } else cost.samplesMs += ms
    if (observation.kind === 'samples') cost.samples += observation.columns.step.length
  }
  const { user, system } = process.cpuUsage(before)
  return { ...cost, ms: (user + system) / 1_000 }
}

function stretchOf(toStep: number, state: TunerState, cost: Cost): Stretch {
  // Processor time, shared out as the clock saw it.
  const perMs = cost.ms / (cost.samplesMs + cost.probesMs)
  return {
    toStep,
    nanosecondsPerSample: (cost.samplesMs * perMs * 1e6) / cost.samples,
    microsecondsPerProbe: cost.probes === 0 ? null : (cost.probesMs * perMs * 1e3) / cost.probes,
    samplesPerSecond: cost.samples / (cost.ms / 1_000),
    stateKilobytes: kilobytes(state),
  }
}

const added = (a: Cost, b: Cost): Cost => ({
  ms: a.ms + b.ms,
  samplesMs: a.samplesMs + b.samplesMs,
  probesMs: a.probesMs + b.probesMs,
  samples: a.samples + b.samples,
  probes: a.probes + b.probes,
})

/** Folds a run of so many steps; the budget is a tenth longer, so that it is never told to end. */
export function foldBench(steps: number): FoldFigures {
  const options = { budgetSteps: Math.ceil(steps * 1.1), seed, batchSteps }
  let number = 0
  const observed = (body: object) => ({ ...body, number: ++number, receivedAt: '' }) as Observation
  let { state } = tune(initialState(), observed(startOf(options)))
  const job = new ReportedJob(options, state)
  let [whole, row] = [noCost(), noCost()]
  let rowEnd = Math.min(firstRowSteps, steps)
  const stretches: Stretch[] = []
  let stateKilobytesMax = 0
  let chunks = 0
  while (job.step < steps && !job.isFinished) {
    const until = Math.min(job.step + chunkSteps, rowEnd)
    const from = state
    const log: Observation[] = []
    while (job.step < until && !job.isFinished) {
      const observation = observed(job.next(until))
      log.push(observation)
      state = tune(state, observation).state
      job.hear(state)
    }
    if (rowEnd === firstRowSteps || until === rowEnd || ++chunks % chunksPerMeasurement === 0)
      row = added(row, measured(from, log))
    stateKilobytesMax = Math.max(stateKilobytesMax, kilobytes(state))
    if (job.step < rowEnd) continue
    stretches.push(stretchOf(job.step, state, row))
    whole = added(whole, row)
    row = noCost()
    rowEnd = Math.min(rowEnd * 10, steps)
  }
  const costs = stretches.map(({ nanosecondsPerSample }) => nanosecondsPerSample)
  return {
    node: process.versions.node,
    steps: job.step,
    probesMeasured: whole.probes,
    decisions: state.decisionCount,
    samplesPerSecond: whole.samples / (whole.ms / 1_000),
    stretches,
    stateKilobytesMax,
    costRatio: Math.max(...costs) / Math.min(...costs),
  }
}

const goals = { samplesPerSecond: 200_000, stateKilobytesMax: 64 }

function print(figures: FoldFigures): void {
  const { samplesPerSecond, stateKilobytesMax, costRatio, steps, probesMeasured, decisions } = figures
  console.log(
    `Node ${figures.node}: ${steps} steps, ${decisions} decisions; ${probesMeasured} probes measured`,
  )
  console.log('     to step   ns a sample   µs a probe   samples/s   state kB')
  for (const stretch of figures.stretches) {
    const { toStep, nanosecondsPerSample, microsecondsPerProbe, stateKilobytes } = stretch
    console.log(
      `${String(toStep).padStart(12)} ${nanosecondsPerSample.toFixed(0).padStart(13)} ${(microsecondsPerProbe?.toFixed(0) ?? '–').padStart(12)} ${stretch.samplesPerSecond.toFixed(0).padStart(11)} ${stateKilobytes.toFixed(1).padStart(10)}`,
    )
  }
  console.log(`samples a second   ${Math.round(samplesPerSecond)}   (goal ≥ ${goals.samplesPerSecond})`)
  console.log(`largest state      ${stateKilobytesMax.toFixed(1)} kB   (goal ≤ ${goals.stateKilobytesMax})`)
  console.log(`cost of a sample   largest over smallest ${costRatio.toFixed(2)}`)
}

/** @param args `--json` prints the figures as one line; `--steps N` the length, 10,000,000 by default. */
export async function benchTuner(args: readonly string[]): Promise<void> {
  const at = args.indexOf('--steps')
  const steps = at < 0 ? 10_000_000 : Number(args[at + 1])
  if (!Number.isInteger(steps) || steps < 1_000)
    throw new RangeError(`--steps must be a whole number of 1000 or more, got ${args[at + 1]}`)
  foldBench(Math.min(practiceSteps, steps))
  const figures = foldBench(steps)
  if (args.includes('--json')) console.log(JSON.stringify(figures))
  else print(figures)
}
