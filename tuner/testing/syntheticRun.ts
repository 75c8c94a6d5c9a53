// A whole training run in a few milliseconds, for tests and benches: a synthetic job driven by the tuner from
// the first step to the last, and the same job under a fixed plan, drawn or in expectation, to compare with.

import type { Action, Decision, DecisionKind, Observation, Plan, Segment } from '../../protocol/vocabulary.ts'
import type { TunerState } from '../index.ts'
import { annealShape } from '../plan/segments.ts'
import { expectedLoss } from './noisyQuadratic.ts'
import { SyntheticJob } from './syntheticJob.ts'
import { type SyntheticOptions, syntheticDefaults } from './syntheticOptions.ts'

export { allCapabilities, type SyntheticOptions } from './syntheticOptions.ts'

export type SyntheticResult = {
  readonly log: readonly Observation[]
  readonly decisions: readonly Decision[]
  readonly state: TunerState
  /** Loss of the last weights, without held-out extras. */
  readonly finalLoss: number
  /** Loss of the weights that the finish asked to keep. */
  readonly keptLoss: number
  /** Rate applied at each step. */
  readonly learningRates: readonly number[]
  /** Every action that was asked, in order. */
  readonly asked: readonly Action[]
}

/** Runs a job under the tuner until it is finished, or has taken `stepCount` steps. */
export function syntheticRun(options: SyntheticOptions): SyntheticResult {
  const job = new SyntheticJob(options)
  const { cutOff, commands } = options
  job.start()
  const stepCount = options.stepCount ?? options.budgetSteps ?? 5_000
  for (let step = 0; step <= stepCount && !job.isFinished; step++) {
    if (step === cutOff?.fromStep) job.isCutOff = true
    if (step === cutOff?.toStep) {
      job.flush()
      job.isCutOff = false
      job.deliver()
    }
    const command = commands?.[step]
    if (command) job.command(command)
    job.beforeStep(step)
    if (!job.isFinished && step < stepCount) job.step(step)
  }
  job.flush()
  job.isCutOff = false
  job.deliver()
  const { log, decisions, state, learningRates, losses, asked } = job
  const kept = { finalLoss: losses.last, keptLoss: losses.kept }
  return { log, decisions, state, learningRates, asked: [...asked.values()], ...kept }
}

/** What was decided, at which step and for which reason. */
export const keyOf = ({ kind, step, reason }: Decision): string => `${kind} at ${step}: ${reason.key}`

/** All that was decided but holds and starts, as `keyOf` has it. */
export const movesOf = ({ decisions }: Pick<SyntheticResult, 'decisions'>): string[] =>
  decisions.filter(({ kind }) => kind !== 'hold' && kind !== 'start').map(keyOf)

/** Reasons of decisions, in order. */
export const reasonsOf = ({ decisions }: Pick<SyntheticResult, 'decisions'>): string[] =>
  decisions.map(({ reason }) => reason.key)

/** Decisions of a kind. */
export const decisionsOf = (result: SyntheticResult, kind: DecisionKind): readonly Decision[] =>
  result.decisions.filter((decision) => decision.kind === kind)

/** "Large until a step, then down to 0 at the budget", in the shapes that the tuner uses. */
export function switchPlan(rate: number, switchStep: number, budgetSteps: number): Plan {
  const large: Segment = { fromStep: 0, toStep: switchStep, shape: 'constant', from: rate, to: rate }
  const shape = annealShape(budgetSteps - switchStep, budgetSteps)
  const anneal: Segment = { fromStep: switchStep, toStep: budgetSteps, shape, from: rate, to: 0 }
  return { version: 1, segments: switchStep > 0 ? [large, anneal] : [anneal] }
}

/** Final loss of the same job, with its own noise, under a fixed plan. */
export function lossUnderPlan(options: SyntheticOptions, plan: Plan): number {
  const job = new SyntheticJob({ ...options, mode: 'off' })
  job.start()
  job.heard = { plan, actions: [] }
  job.isCutOff = true
  for (let step = 0; step < (options.budgetSteps ?? 0); step++) job.step(step)
  return job.losses.last
}

/** Expected final loss of the same job under a fixed plan: exact, whatever the seed. */
export function expectedLossUnderPlan(options: SyntheticOptions, plan: Plan): number {
  return expectedLoss({ ...syntheticDefaults, ...options }, plan, options.budgetSteps ?? 0)
}

/** The best time to switch at a given rate, among `count` times spread over (0, T): expected losses, exhaustively. */
export function bestSwitch(
  options: SyntheticOptions & { readonly budgetSteps: number },
  rate: number,
  count = 40,
): { readonly step: number; readonly loss: number } {
  const { budgetSteps } = options
  let best = { step: 0, loss: Number.POSITIVE_INFINITY }
  for (let i = 0; i < count; i++) {
    const step = Math.round((i / count) * budgetSteps)
    const loss = expectedLossUnderPlan(options, switchPlan(rate, step, budgetSteps))
    if (loss < best.loss) best = { step, loss }
  }
  return best
}
