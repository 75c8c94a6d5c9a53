// How fast the decision engine folds, on one core: a run of 10,000,000 steps with a budget, reported in the built-in
// trainer's batches, with probes and actions as the plan asks for them. Counted is the processor time of `tune` alone,
// garbage collection included: other work on the machine slows the clock, and that little. Measured:
// samples a second, what a probe costs, whether the cost of a sample grows with the run's length, and the state's
// size as JSON at each power of ten. `--json` prints one line; `--steps N` makes the run shorter or longer.

import { initialState, type TunerState, tune } from '../tuner/index.ts'
import { ReportedJob, startOf } from './reportedJob.ts'

/** Stretches at whose end the cost of a sample is taken: the last fifth before each power of ten. */
const stretchShare = 0.2
const seed = 1
/** Steps in a report, as the built-in trainer sends them. */
const batchSteps = 50
const decadeMin = 1_000

type Stretch = {
  readonly toStep: number
  readonly nanosecondsPerSample: number
  readonly microsecondsPerProbe: number | null
  readonly stateKilobytes: number
}

export type FoldFigures = {
  readonly node: string
  readonly steps: number
  readonly probes: number
  readonly decisions: number
  /** All steps over all time in `tune`, probes included. */
  readonly samplesPerSecond: number
  readonly stretches: readonly Stretch[]
  readonly stateKilobytesMax: number
  /** Largest cost of a sample over the smallest, between the stretches. */
  readonly costRatio: number
}

class Meter {
  samples = 0
  sampleMs = 0
  probes = 0
  probeMs = 0
  allMs = 0

  add(kind: string, count: number, ms: number): void {
    this.allMs += ms
    if (kind === 'samples') {
      this.samples += count
      this.sampleMs += ms
    }
    if (kind === 'probe') {
      this.probes++
      this.probeMs += ms
    }
  }
}

const kilobytes = (state: TunerState): number => Buffer.byteLength(JSON.stringify(state)) / 1_024

/** Ends of the stretches and their starts: the cost is looked at only in between. */
function marksOf(steps: number): readonly number[] {
  const marks: number[] = []
  for (let end = decadeMin; end <= steps; end *= 10) marks.push(Math.round(end * (1 - stretchShare)), end)
  return marks.at(-1) === steps ? marks : [...marks, Math.round(steps * (1 - stretchShare)), steps]
}

/** Folds a run of so many steps; the budget is a tenth longer, so that the run is never told to end. */
export function foldBench(steps: number): FoldFigures {
  const options = { budgetSteps: Math.ceil(steps * 1.1), seed, batchSteps }
  let state = initialState()
  let number = 0
  let decisions = 0
  const fold = (body: object): number => {
    const observation = { ...body, number: ++number, receivedAt: '' } as never
    const before = process.cpuUsage()
    const result = tune(state, observation)
    const { user, system } = process.cpuUsage(before)
    const ms = (user + system) / 1_000
    state = result.state
    decisions += result.decisions.length
    return ms
  }
  fold(startOf(options))
  const job = new ReportedJob(options, state)
  const whole = new Meter()
  const stretches: Stretch[] = []
  let stateKilobytesMax = 0
  marksOf(steps).forEach((mark, index) => {
    const meter = new Meter()
    while (job.step < mark && !job.isFinished) {
      const before = job.step
      const body = job.next(mark)
      const ms = fold(body)
      job.hear(state)
      for (const each of [meter, whole]) each.add(body.kind, job.step - before, ms)
    }
    const stateKilobytes = kilobytes(state)
    stateKilobytesMax = Math.max(stateKilobytesMax, stateKilobytes)
    if (index % 2 === 0) return
    stretches.push({
      toStep: mark,
      nanosecondsPerSample: (meter.sampleMs * 1e6) / meter.samples,
      microsecondsPerProbe: meter.probes === 0 ? null : (meter.probeMs * 1e3) / meter.probes,
      stateKilobytes,
    })
  })
  const costs = stretches.map(({ nanosecondsPerSample }) => nanosecondsPerSample)
  return {
    node: process.versions.node,
    steps: job.step,
    probes: whole.probes,
    decisions,
    samplesPerSecond: whole.samples / (whole.allMs / 1_000),
    stretches,
    stateKilobytesMax,
    costRatio: Math.max(...costs) / Math.min(...costs),
  }
}

const goals = { samplesPerSecond: 200_000, stateKilobytesMax: 64 }

function print(figures: FoldFigures): void {
  const { samplesPerSecond, stateKilobytesMax, costRatio, steps, probes, decisions } = figures
  console.log(`Node ${figures.node}: ${steps} steps, ${probes} probes, ${decisions} decisions`)
  console.log('     to step   ns a sample   µs a probe   state kB')
  for (const { toStep, nanosecondsPerSample, microsecondsPerProbe, stateKilobytes } of figures.stretches)
    console.log(
      `${String(toStep).padStart(12)} ${nanosecondsPerSample.toFixed(0).padStart(13)} ${(microsecondsPerProbe?.toFixed(0) ?? '–').padStart(12)} ${stateKilobytes.toFixed(1).padStart(10)}`,
    )
  console.log(`samples a second   ${Math.round(samplesPerSecond)}   (goal ≥ ${goals.samplesPerSecond})`)
  console.log(`largest state      ${stateKilobytesMax.toFixed(1)} kB   (goal ≤ ${goals.stateKilobytesMax})`)
  console.log(`cost of a sample   largest over smallest ${costRatio.toFixed(2)}`)
}

/** @param args `--json` prints the figures as one line; `--steps N` the length, 10,000,000 by default. */
export async function benchTuner(args: readonly string[]): Promise<void> {
  const at = args.indexOf('--steps')
  const steps = at < 0 ? 10_000_000 : Number(args[at + 1])
  if (!Number.isInteger(steps) || steps < decadeMin)
    throw new RangeError(`--steps must be a whole number of ${decadeMin} or more, got ${args[at + 1]}`)
  const figures = foldBench(steps)
  if (args.includes('--json')) console.log(JSON.stringify(figures))
  else print(figures)
}
