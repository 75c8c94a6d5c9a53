// What other rules would do, made for the strip beside a decision and for ghost curves over the chart of the rate: when
// each first lowers the rate, or will, and what an anneal from there would cost in final loss beside this run's plan.

import type { Alternative, Decision, RunSummary, Segment } from '../../protocol/vocabulary.ts'
import { endStepOf } from './phases.ts'

export type OtherRule = {
  readonly name: string
  /** When it first lowers the rate; null = not yet. */
  readonly step: number | null
  /** That lies ahead of what was known. */
  readonly isAhead: boolean
  /** Expected final loss of an anneal from there, less that of this run; null = not told. */
  readonly cost: number | null
}
export type OtherRules = {
  readonly own: OtherRule
  readonly rules: readonly OtherRule[]
  /** The final loss that this run's plan was expected to reach, and when; null = not told. */
  readonly expected: { readonly loss: number; readonly step: number } | null
}

const hasLosses = ({ counterfactuals }: Decision): boolean =>
  counterfactuals.some(({ finalLoss }) => finalLoss !== undefined)

/** What was expected of the plan: of a switch what it promised, else of the anneal that is planned, else of one at once. */
function expectedOf({ alternatives, promised }: Decision): number | null {
  const of = (kind: Alternative['kind']) => alternatives.find((one) => one.kind === kind)?.finalLoss
  return promised?.value ?? of('at') ?? of('now') ?? null
}

/** Where the run itself anneals, by what a decision planned. */
function ownStepOf(run: RunSummary, { plan, phase }: Decision): number | null {
  if (phase.to === 'anneal' || phase.to === 'done') return run.switchStep
  return plan.segments.find((segment) => segment.phase === 'anneal')?.fromStep ?? null
}

/** Losses are told while the large step holds: later decisions have those of the last one before. */
export function otherRulesOf(
  run: RunSummary,
  decisions: readonly Decision[],
  decision: Decision,
): OtherRules {
  const told = decisions.findLast((one) => one.number <= decision.number && hasLosses(one))
  const loss = told === undefined ? null : expectedOf(told)
  const ownStep = ownStepOf(run, decision)
  return {
    own: {
      name: 'This run',
      step: ownStep,
      isAhead: ownStep !== null && ownStep > decision.step,
      cost: null,
    },
    rules: decision.counterfactuals.map(({ rule, step, plannedStep }) => {
      const finalLoss = told?.counterfactuals.find((one) => one.rule === rule)?.finalLoss
      return {
        name: rule,
        step: step ?? plannedStep ?? null,
        isAhead: step === null,
        cost: finalLoss === undefined || loss === null ? null : finalLoss - loss,
      }
    }),
    expected: told === undefined || loss === null ? null : { loss, step: told.step },
  }
}

/** The rates of an anneal from a step to the end of the budget, as this run would make it; null = there is no budget. */
export function annealFrom(run: RunSummary, fromStep: number): readonly Segment[] | null {
  const [toStep, rate] = [endStepOf(run), run.largeLearningRate]
  if (toStep === null || rate === null || fromStep >= toStep) return null
  const shape = run.plan.segments.find(({ phase }) => phase === 'anneal')?.shape ?? 'linear'
  return [{ fromStep, toStep, shape, from: rate, to: 0, phase: 'anneal' }]
}
