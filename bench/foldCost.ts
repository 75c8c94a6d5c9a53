// What folding a log costs, in processor time with garbage collection (other work on the machine slows the clock, and that
// only a little), beside what a reader knows: JSON.parse of the same observations, which every server pays before it folds.

import type { Observation } from '../protocol/vocabulary.ts'
import { type TunerState, tune } from '../tuner/index.ts'

/** Processor time in ms of folding and of parsing, and the clock's ms of samples and of probes. */
export type FoldCost = {
  readonly ms: number
  readonly parseMs: number
  readonly samplesMs: number
  readonly probesMs: number
  readonly samples: number
  readonly probes: number
}

export const noCost: FoldCost = { ms: 0, parseMs: 0, samplesMs: 0, probesMs: 0, samples: 0, probes: 0 }

export const added = (a: FoldCost, b: FoldCost): FoldCost => ({
  ms: a.ms + b.ms,
  parseMs: a.parseMs + b.parseMs,
  samplesMs: a.samplesMs + b.samplesMs,
  probesMs: a.probesMs + b.probesMs,
  samples: a.samples + b.samples,
  probes: a.probes + b.probes,
})

/** Processor time that a function takes, in ms. */
function processorMs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

export function costOf(state: TunerState, log: readonly Observation[]): FoldCost {
  let [samplesMs, probesMs, samples, probes] = [0, 0, 0, 0]
  let current = state
  const ms = processorMs(() => {
    for (const observation of log) {
      const startedAt = performance.now()
      current = tune(current, observation).state
      const took = performance.now() - startedAt
      if (observation.kind === 'probe') {
        probes++
        probesMs += took
      } else samplesMs += took
      if (observation.kind === 'samples') samples += observation.columns.step.length
    }
  })
  const texts = log.map((observation) => JSON.stringify(observation))
  const parseMs = processorMs(() => {
    for (const text of texts) JSON.parse(text)
  })
  return { ms, parseMs, samplesMs, probesMs, samples, probes }
}

/** A row of the table. */
export type Stretch = {
  readonly name: string
  readonly nanosecondsPerSample: number
  readonly microsecondsPerProbe: number | null
  /** Probes included. */
  readonly samplesPerSecond: number
  /** Folding over parsing the same observations as JSON. */
  readonly timesParse: number
  readonly stateKilobytes: number
}

export function stretchOf(name: string, cost: FoldCost, stateKilobytes: number): Stretch {
  // Processor time, shared out as the clock saw it.
  const perMs = cost.ms / (cost.samplesMs + cost.probesMs)
  return {
    name,
    nanosecondsPerSample: (cost.samplesMs * perMs * 1e6) / cost.samples,
    microsecondsPerProbe: cost.probes === 0 ? null : (cost.probesMs * perMs * 1e3) / cost.probes,
    samplesPerSecond: cost.samples / (cost.ms / 1_000),
    timesParse: cost.ms / cost.parseMs,
    stateKilobytes,
  }
}
