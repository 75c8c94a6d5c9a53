// The golden logs: four short runs that hold what the engine may decide, kept as they were reported once, one observation
// a line. They are made by synthetic jobs, whose answers depended on the engine of that day; so they are made again only
// where a log no longer holds what it is there for:
//   TWOSTEP_GOLDEN=logs npx vitest run tuner/testing/golden

import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeNumber, encodeNumber } from '../../../protocol/nonFinite.ts'
import type { Observation } from '../../../protocol/vocabulary.ts'
import { type SyntheticOptions, syntheticRun } from '../syntheticRun.ts'

export const folder = dirname(fileURLToPath(import.meta.url))

/** A log is kept smaller than this, so that the repository stays small. */
export const logBytesMax = 150_000

const byTest = { reason: 'to see', by: 'test' }

const jobs: Readonly<Record<string, SyntheticOptions>> = {
  // A race, a switch by the rule, a rise of held-out loss in the anneal, and the weights kept before it.
  search: {
    seed: 1,
    budgetSteps: 1_500,
    traceSigma: 1,
    heldOutExtra: (step) => Math.max(0, step - 1_100) / 300,
  },
  // A rate set by hand and handed back, a storm of NaN with a rollback, a budget that is raised, and an early end because
  // little of what is learned reaches held-out data.
  guard: {
    seed: 1,
    budgetSteps: 1_200,
    learningRate: 0.03,
    floor: 0.02,
    traceSigma: 2,
    capabilities: ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'lineProbe', 'momentum'],
    reportedLoss: (step, loss) => (step >= 240 && step < 248 ? Number.NaN : loss),
    heldOutExtra: (step) => 0.01 * Math.log(1 + step / 50),
    commands: {
      180: { kind: 'override', learningRate: 0.01, untilStep: 210, ...byTest },
      450: { kind: 'set-budget', budgetSteps: 1_300, ...byTest },
    },
  },
  // The loss alone: a job that drifts for a while, the fallback plan, and a loss that moves to another level.
  lossOnly: {
    seed: 4,
    budgetSteps: 1_000,
    learningRate: 0.02,
    capabilities: [],
    namesPlan: true,
    appliedRate: (step, planned) => (step >= 100 && step < 180 ? 0.005 : planned),
    reportedLoss: (step, loss) => loss + (step > 600 ? 0.5 : 0),
  },
  // No budget: evidence that grows or does not, until a person asks for the anneal, and for its end.
  open: {
    seed: 1,
    budgetSteps: null,
    stepCount: 6_000,
    learningRate: 0.05,
    rateLimits: { min: 0.05, max: 0.05 },
    traceSigma: 2,
    capabilities: ['heldOutLoss', 'averagedWeights'],
    commands: {
      1850: { kind: 'switch-now', ...byTest },
      2150: { kind: 'finish', ...byTest },
    },
  },
}
export const logNames = Object.keys(jobs)

const pathOf = (name: string): string => join(folder, `${name}.ndjson`)

export function writeLogs(): void {
  for (const [name, options] of Object.entries(jobs)) {
    const lines = syntheticRun({ ...options, digits: 4 }).log.map((observation) =>
      JSON.stringify(observation, (_, value) => (typeof value === 'number' ? encodeNumber(value) : value)),
    )
    writeFileSync(pathOf(name), `${lines.join('\n')}\n`)
  }
}

export const textOfLog = (name: string): string => readFileSync(pathOf(name), 'utf8')

export const observationsOf = (text: string): Observation[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line, (_, value) => decodeNumber(value) ?? value) as Observation)
