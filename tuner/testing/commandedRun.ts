// Runs in which a person speaks: the job that the tests of commands, modes, budgets and approvals share, and what the
// person's part of its decisions says.

import type { Capability, Command } from '../../protocol/vocabulary.ts'
import {
  decisionsOf,
  keyOf,
  type SyntheticOptions,
  type SyntheticResult,
  syntheticRun,
} from './syntheticRun.ts'

export const budgetSteps = 2_000

/** What lets the rule decide; without averaged weights there is no race. */
export const measuring: readonly Capability[] = ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'lineProbe']

/** Slow enough to stay large to the deadline at step 1,800. */
export const slow: SyntheticOptions = {
  seed: 1,
  budgetSteps,
  learningRate: 0.02,
  traceSigma: 0.05,
  capabilities: measuring,
}

/** Of every command: why, and whose. */
export const common = { reason: 'to see', by: 'somebody' }

export type CommandsByStep = Readonly<Record<number, Command>>

/** The slow job, or another, with commands by the step at which they arrive. */
export const commandedRun = (commands: CommandsByStep, options: Partial<SyntheticOptions> = {}) =>
  syntheticRun({ ...slow, ...options, commands })

/** What persons did, and what came of it. */
export const byHand = (run: SyntheticResult): string[] =>
  run.decisions.filter(({ rule }) => rule.id === 'person').map(keyOf)

export const switchSteps = (run: SyntheticResult): number[] =>
  decisionsOf(run, 'switch').map(({ step }) => step)
