// Large jobs from the same logs: a trunk of up to 160,000 steps, made of runs of one model that were extended at a constant rate, folded
// whole; for budgets that it does not reach, the switch that the rule's own curve points to at its end.

import { costInputOf, judgementNow } from '../../tuner/phases/judgement.ts'
import { type MarginalCostInput, marginalCost, switchFactorGap } from '../../tuner/phases/marginalCost.ts'
import { deadlineShare, holdShare } from '../../tuner/plan/bounds.ts'
import { switchStepOf } from '../../tuner/state.ts'
import { ruleChoice } from '../decisions/rule.ts'
import { candidateFactor, freedShare } from './candidates.ts'
import { foldTrunk, recordsOf } from './fold.ts'
import { stepOf } from './judged.ts'
import type { Curve, PublicLog } from './logs.ts'
import { donorOf, type Trunk, trunkWith } from './trunk.ts'

/** Budgets that the rule is asked for beyond the end of the logs. */
const farBudgets = [200_000, 500_000, 1_000_000] as const
const atPeak = 0.99

/** Runs of one model and rate that go on from each other, as one constant run; the last word on a step is the longest run's. */
export function extendedLog(logs: readonly PublicLog[], layers: number): PublicLog | null {
  const own = logs
    .filter(
      (log) => log.run.startsWith('horizon_transfer__') && log.layers === layers && log.scheduler === 'wsd',
    )
    .sort((a, b) => a.iterations - b.iterations)
  const last = own.at(-1)
  if (last === undefined) return null
  const parts = own.map((log) => ({ log, to: peakEnd(log) }))
  const joined = (curveOf: (log: PublicLog) => Curve): Curve => {
    const values = new Map<number, number>()
    for (const { log, to } of parts) {
      const { step, value } = curveOf(log)
      step.forEach((at, index) => {
        if (at <= to) values.set(at, value[index]!)
      })
    }
    const entries = [...values].sort(([a], [b]) => a - b)
    return { step: entries.map(([step]) => step), value: entries.map(([, value]) => value) }
  }
  return {
    ...last,
    heldOut: joined(({ heldOut }) => heldOut),
    loss: joined(({ loss }) => loss),
    rate: joined(({ rate }) => rate),
    gradientNorm: null,
  }
}

/** The last step at which a run still has its full rate. */
function peakEnd({ rate, learningRate }: PublicLog): number {
  const below = rate.value.findLastIndex((value) => value >= atPeak * learningRate)
  return rate.step[below] ?? 0
}

export type LongRow = {
  readonly model: string
  readonly budget: number
  /** The trunk's last step: a rule that had not switched by then is asked there for its plan. */
  readonly logged: number
  /** Where the rule as it is, and freed with b = .45 D, begins the anneal, as shares of the budget. */
  readonly inForce: number
  readonly freed: number
  /** Where the curve fitted at the trunk's end meets the freed rule if it may speak from the first step on. */
  readonly unbounded: number
  /** Final losses of the cooldowns that were trained there, by share. */
  readonly trained: readonly { readonly share: number; readonly loss: number }[]
}

export function longRows(logs: readonly PublicLog[]): LongRow[] {
  return [12, 24].flatMap((layers) => {
    const log = extendedLog(logs, layers)
    if (log === null) return []
    const donors = logs.filter(({ dataset }) => dataset === 'slimpajama')
    const donor = donorOf(donors, { ...log, dataset: 'slimpajama' })
    const trunk = trunkWith(log, donor, 1)
    const budgets = [
      ...new Set([...logs.filter(isExtended(layers)).map(({ iterations }) => iterations), ...farBudgets]),
    ]
    return budgets.sort((a, b) => a - b).map((budget) => longRow(logs, trunk, budget))
  })
}

const isExtended =
  (layers: number) =>
  ({ run, layers: own, scheduler }: PublicLog): boolean =>
    run.startsWith('horizon_transfer__') && own === layers && scheduler === 'wsd'

function longRow(logs: readonly PublicLog[], trunk: Trunk, budget: number): LongRow {
  const { log } = trunk
  const logged = Math.min(log.heldOut.step.at(-1)!, budget)
  const inForce = foldTrunk(trunk, { length: budget })
  const freed = ruleChoice(
    recordsOf(trunk, budget),
    { kind: 'gap', factor: candidateFactor },
    budget,
    freedShare,
  )
  const last = judgementOf(trunk, budget)
  return {
    model: `${log.layers} layers at ${log.learningRate}`,
    budget,
    logged,
    inForce: (switchStepOf(inForce.course) ?? plannedStep(last, budget, switchFactorGap, holdShare)) / budget,
    freed: (stepOf(freed) ?? plannedStep(last, budget, candidateFactor, freedShare)) / budget,
    unbounded: plannedStep(last, budget, candidateFactor, 0) / budget,
    trained: logs
      .filter((other) => isExtended(log.layers)(other) && other.iterations === budget)
      .map(({ run, finalLoss }) => ({ share: Number(/linear_([\d.]+)_/.exec(run)?.[1]), loss: finalLoss }))
      .sort((a, b) => a.share - b.share),
  }
}

type Last = { readonly input: MarginalCostInput; readonly gap: number }

/** What the rule weighs at the trunk's end. @throws Error where nothing can be weighed. */
function judgementOf(trunk: Trunk, budget: number): Last {
  const state = foldTrunk(trunk, {
    length: Math.max(budget, trunk.log.heldOut.step.at(-1)! + 1),
    isHeld: true,
  })
  const { reading, gain } = judgementNow(state)
  const input = costInputOf(state, reading, gain)
  if (input === undefined || reading.gap.value === null)
    throw new Error(`nothing can be weighed at the end of ${trunk.log.run}`)
  return { input, gap: reading.gap.value }
}

/** The step that the curve points to, seen from the first step; no earlier than that share of the budget. */
function plannedStep({ input, gap }: Last, budget: number, factor: number, from: number): number {
  const bounds = {
    earliest: Math.max(1, Math.round(from * budget)),
    deadline: Math.floor(deadlineShare * budget),
  }
  const start = { step: 1, runLength: 1, end: budget, length: budget }
  const scaled = { ...input.gap, value: (gap * factor) / switchFactorGap }
  return marginalCost({ ...input, ...start, ...bounds, gap: scaled })?.earliestStep ?? budget
}
