// What a reported job can be: what it asks for, what it offers, how it answers, and how its reports travel.

import { familyOf } from '../../protocol/optimizers.ts'
import type { Acknowledgement, Action, Capability, Mode, RunOptions } from '../../protocol/vocabulary.ts'

export type Status = Acknowledgement['status']

export type ReportedJobOptions = {
  readonly budgetSteps: number | null
  /** null = to be found. */
  readonly learningRate?: number | null
  readonly rateLimits?: { readonly min: number | null; readonly max: number | null }
  readonly optimizer?: { readonly name: string; readonly momentum?: number | null }
  readonly capabilities?: readonly Capability[]
  readonly mode?: Mode
  /** The job's own warm-up, in steps. */
  readonly warmupSteps?: number | null
  /** Where the job's counter stands at first, if it says so; null = it does not. */
  readonly firstStep?: number | null
  /** Rows per batch. */
  readonly batchRows?: number
  /** Steps after which an answer is heard: reporting runs in the background. */
  readonly lagSteps?: number
  /** Whether the job waits where the plan asks it to. */
  readonly waits?: boolean
  /** Whether a batch names the plan that its steps followed. */
  readonly sendsPlanVersion?: boolean
  /** Whether samples carry the learning rate. */
  readonly reportsRate?: boolean
  /** How actions are answered; absent = probes are not supported, all else is done. */
  readonly answers?: Partial<Record<Action['kind'], Status>>
  /** `at-once`: answered when heard, with the step at which they are due; `when-due`: done before that step. */
  readonly acts?: 'at-once' | 'when-due'
  /** What the job does of an action that it carries out, besides answering. */
  readonly does?: (action: Action) => void
  /** The rate that the job takes in place of the planned one. */
  readonly ownRate?: (step: number, planned: number) => number
}

export type Settled = Required<ReportedJobOptions>

export const reportedDefaults = {
  learningRate: null,
  rateLimits: { min: null, max: null },
  optimizer: { name: 'sgd', momentum: 0.9 },
  capabilities: [],
  mode: 'auto',
  warmupSteps: null,
  firstStep: null,
  batchRows: 10,
  lagSteps: 0,
  waits: false,
  sendsPlanVersion: true,
  reportsRate: true,
  answers: {},
  acts: 'at-once',
  does: () => undefined,
  ownRate: (_step: number, planned: number) => planned,
} as const satisfies Omit<Settled, 'budgetSteps'>

/** What the job's first request becomes. */
export function runOptionsOf(settled: Settled): RunOptions {
  const { budgetSteps, mode, capabilities, learningRate, rateLimits, optimizer } = settled
  const { warmupSteps, firstStep } = settled
  return {
    name: 'reported',
    project: 'test',
    tags: [],
    framework: 'reported',
    optimizer: {
      name: optimizer.name,
      family: familyOf(optimizer.name),
      momentum: optimizer.momentum ?? null,
      weightDecay: null,
    },
    budgetSteps,
    mode,
    capabilities,
    learningRate: { initial: learningRate, ...rateLimits },
    warmupSteps,
    firstStep,
    settings: {},
  }
}
