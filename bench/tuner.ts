// How fast the decision engine folds, on one core: a run of 10,000,000 steps with a budget, reported in the built-in
// trainer's batches, with probes and actions as the plan asks for them; and the openings of many runs, their first 1,000 and
// 10,000 steps, where the search and most probes are. The job needs answers, so every tenth chunk of the long run, and every
// opening, is folded twice: once to make its log, once more from the same state for the measurement (foldCost.ts).
// Measured: samples a second, also as a multiple of JSON.parse of the same observations, what a probe costs, whether cost
// grows with the run's length, and the state's size as JSON. `--json` prints one line; `--steps N` makes the long run
// shorter or longer.

import type { Observation } from '../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../tuner/index.ts'
import { added, costOf, type FoldCost, noCost, type Stretch, stretchOf } from './foldCost.ts'
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
/** Openings: their lengths, how many runs of each, and the budget that those runs have. */
const openings = [
  { steps: 1_000, runs: 40, practiceRuns: 20 },
  { steps: 10_000, runs: 8, practiceRuns: 2 },
] as const
const openingBudgetSteps = 100_000

export type FoldFigures = {
  readonly node: string
  readonly steps: number
  readonly probesMeasured: number
  readonly decisions: number
  /** Steps over processor time in `tune`, of all that was measured of the long run, probes included. */
  readonly samplesPerSecond: number
  readonly openings: readonly Stretch[]
  readonly stretches: readonly Stretch[]
  readonly stateKilobytesMax: number
  /** Largest cost of a sample over the smallest, between the stretches. */
  readonly costRatio: number
}

const kilobytes = (state: TunerState): number => Buffer.byteLength(JSON.stringify(state)) / 1_024

/** A job that is answered at once, and the state that answers it. */
class AnsweredRun {
  state: TunerState
  readonly job: ReportedJob
  readonly #start: Observation
  #number = 0

  constructor(options: ConstructorParameters<typeof ReportedJob>[0]) {
    this.#start = this.#observed(startOf(options))
    this.state = tune(initialState(), this.#start).state
    this.job = new ReportedJob(options, this.state)
  }

  #observed(body: object): Observation {
    return { ...body, number: ++this.#number, receivedAt: '' } as Observation
  }

  /** What is reported until a step. */
  logUntil(untilStep: number): Observation[] {
    const log: Observation[] = []
    while (this.job.step < untilStep && !this.job.isFinished) {
      const observation = this.#observed(this.job.next(untilStep))
      log.push(observation)
      this.state = tune(this.state, observation).state
      this.job.hear(this.state)
    }
    return log
  }

  /** The run from its start to a step. */
  opening(untilStep: number): Observation[] {
    return [this.#start, ...this.logUntil(untilStep)]
  }
}

function openingCost(steps: number, seeds: readonly number[]): { cost: FoldCost; stateKilobytes: number } {
  let cost = noCost
  let stateKilobytes = 0
  for (const each of seeds) {
    const run = new AnsweredRun({ budgetSteps: openingBudgetSteps, seed: each, batchSteps })
    const log = run.opening(steps)
    cost = added(cost, costOf(initialState(), log))
    stateKilobytes = Math.max(stateKilobytes, kilobytes(run.state))
  }
  return { cost, stateKilobytes }
}

const seedsFrom = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index)

export function openingBench(): Stretch[] {
  return openings.map(({ steps, runs, practiceRuns }) => {
    openingCost(steps, seedsFrom(1_000, practiceRuns))
    const { cost, stateKilobytes } = openingCost(steps, seedsFrom(1, runs))
    return stretchOf(`first ${steps} of ${runs} runs`, cost, stateKilobytes)
  })
}

type LongRun = Omit<FoldFigures, 'node' | 'openings'>

/** Folds a run of so many steps; the budget is a tenth longer, so that it is never told to end. */
export function foldBench(steps: number): LongRun {
  const run = new AnsweredRun({ budgetSteps: Math.ceil(steps * 1.1), seed, batchSteps })
  const { job } = run
  let [whole, row] = [noCost, noCost]
  let rowEnd = Math.min(firstRowSteps, steps)
  const stretches: Stretch[] = []
  let stateKilobytesMax = 0
  let chunks = 0
  while (job.step < steps && !job.isFinished) {
    const until = Math.min(job.step + chunkSteps, rowEnd)
    const from = run.state
    const log = run.logUntil(until)
    if (rowEnd === firstRowSteps || until === rowEnd || ++chunks % chunksPerMeasurement === 0)
      row = added(row, costOf(from, log))
    stateKilobytesMax = Math.max(stateKilobytesMax, kilobytes(run.state))
    if (job.step < rowEnd) continue
    stretches.push(stretchOf(`to ${job.step}`, row, kilobytes(run.state)))
    whole = added(whole, row)
    row = noCost
    rowEnd = Math.min(rowEnd * 10, steps)
  }
  const costs = stretches.map(({ nanosecondsPerSample }) => nanosecondsPerSample)
  return {
    steps: job.step,
    probesMeasured: whole.probes,
    decisions: run.state.decisionCount,
    samplesPerSecond: whole.samples / (whole.ms / 1_000),
    stretches,
    stateKilobytesMax,
    costRatio: Math.max(...costs) / Math.min(...costs),
  }
}

const goals = { samplesPerSecond: 200_000, openingSamplesPerSecond: 60_000, stateKilobytesMax: 64 }

function print(figures: FoldFigures): void {
  const { samplesPerSecond, stateKilobytesMax, costRatio, steps, probesMeasured, decisions } = figures
  console.log(
    `Node ${figures.node}: ${steps} steps, ${decisions} decisions; ${probesMeasured} probes measured`,
  )
  console.log('                      ns a sample   µs a probe   samples/s   × JSON.parse   state kB')
  for (const stretch of [...figures.openings, ...figures.stretches]) {
    const { name, nanosecondsPerSample, microsecondsPerProbe, timesParse, stateKilobytes } = stretch
    const cells = [
      nanosecondsPerSample.toFixed(0).padStart(12),
      (microsecondsPerProbe?.toFixed(0) ?? '–').padStart(12),
      stretch.samplesPerSecond.toFixed(0).padStart(11),
      timesParse.toFixed(2).padStart(14),
      stateKilobytes.toFixed(1).padStart(10),
    ]
    console.log(`${name.padEnd(22)}${cells.join(' ')}`)
  }
  const [opening] = figures.openings
  console.log(`samples a second   ${Math.round(samplesPerSecond)}   (goal ≥ ${goals.samplesPerSecond})`)
  console.log(
    `of an opening      ${Math.round(opening!.samplesPerSecond)}   (goal ≥ ${goals.openingSamplesPerSecond})`,
  )
  console.log(`largest state      ${stateKilobytesMax.toFixed(1)} kB   (goal ≤ ${goals.stateKilobytesMax})`)
  console.log(`cost of a sample   largest over smallest ${costRatio.toFixed(2)}`)
}

/** @param args `--json` prints the figures as one line; `--steps N` the length, 10,000,000 by default. */
export async function benchTuner(args: readonly string[]): Promise<void> {
  const at = args.indexOf('--steps')
  const steps = at < 0 ? 10_000_000 : Number(args[at + 1])
  if (!Number.isInteger(steps) || steps < 1_000)
    throw new RangeError(`--steps must be a whole number of 1000 or more, got ${args[at + 1]}`)
  const openingStretches = openingBench()
  foldBench(Math.min(practiceSteps, steps))
  const figures = { node: process.versions.node, openings: openingStretches, ...foldBench(steps) }
  if (args.includes('--json')) console.log(JSON.stringify(figures))
  else print(figures)
}
