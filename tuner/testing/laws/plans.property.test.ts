// Laws of plans: whoever follows one alone, from whatever moment, is not taken into an anneal that the rule could not have
// asked for, always ends annealed, and never takes a rate that nothing speaks for.

import { describe, it } from 'vitest'
import { evaluatePlan, planProblem } from '../../../protocol/plan.ts'
import { hastySwitches, plannedAnneal } from '../cases/judged.ts'
import type { ReportedJob } from '../reportedJob.ts'
import { fromZero, type History, historyOf, runOf, usualRateMax, withCutOff } from './histories.ts'
import { firstOf, holdsOnSeeds } from './seeds.conformance.ts'

/** Plans published while the run was on its way, its first step known. */
const plansOf = ({ plans }: ReportedJob, { origin, stepCount }: History) =>
  plans
    // Of the plans that one batch makes only the last is answered.
    .filter(({ afterStep }, i) => plans[i + 1]?.afterStep !== afterStep)
    .filter(({ rows, afterStep }) => rows > 0 && (afterStep ?? 0) < origin + stepCount - 1)

/** Judged by its evaluations: these have a distance of their own, and there are enough of them. */
function ownDistance({ options, evaluationSteps, stepCount }: History): number | null {
  const offers = (['heldOutLoss', 'averagedWeights'] as const).every((one) =>
    options.capabilities?.includes(one),
  )
  if (!offers || typeof evaluationSteps !== 'number') return null
  return stepCount / evaluationSteps >= 30 ? evaluationSteps : null
}

function hastyPlans(job: ReportedJob, history: History): readonly string[] {
  const { origin, stepCount } = history
  const every = ownDistance(history)
  return plansOf(job, history).flatMap(({ plan, afterStep }) => {
    const now = (afterStep ?? origin - 1) + 1
    const from = plannedAnneal({ plan })
    if (from === null) return []
    const said = `plan ${plan.version}, of step ${now - origin}, anneals from ${from - origin} of ${stepCount}`
    if (from - origin < Math.floor(stepCount / 4)) return [said]
    if (every === null || from <= now || from - origin >= stepCount / 2) return []
    const lastProbe = Math.floor(now / every) * every
    return from < lastProbe + 2 * every ? [`${said}, evaluated each ${every}`] : []
  })
}

function unsoundPlans(job: ReportedJob, history: History): readonly string[] {
  const { origin, stepCount } = history
  return plansOf(job, history).flatMap(({ plan }) => {
    const problem = planProblem(plan)
    const after = evaluatePlan(plan, origin + stepCount).learningRate
    return [
      ...(problem === undefined ? [] : [`plan ${plan.version}: ${problem}`]),
      ...(after === 0 ? [] : [`plan ${plan.version} has ${after} after the budget`]),
    ]
  })
}

describe('every plan that is published', () => {
  it('anneals no earlier than the rule could', () => {
    holdsOnSeeds((seed) => firstOf(hastyPlans(runOf(historyOf(seed)), historyOf(seed))))
  })

  it('so it is of a job that is cut off, and told of late', () => {
    holdsOnSeeds((seed) => {
      const history = withCutOff(historyOf(seed))
      const job = runOf(history)
      return firstOf([...hastyPlans(job, history), ...hastySwitches(job.decisions)])
    })
  })

  it('is sound, and at 0 after the budget', () => {
    holdsOnSeeds((seed) => {
      const history = withCutOff(historyOf(seed))
      return firstOf(unsoundPlans(runOf(history), history))
    })
  })
})

describe('a job that is cut off for good', () => {
  it('has ended annealed', () => {
    holdsOnSeeds((seed) => {
      const history = withCutOff(fromZero(historyOf(seed, { mode: 'auto' })))
      const { origin, stepCount, everySteps, options } = history
      const fromStep = Math.max(history.cutOff!.fromStep, origin + 5 * (options.batchRows ?? 1) * everySteps)
      const job = runOf({ ...history, cutOff: { fromStep, toStep: Number.POSITIVE_INFINITY } })
      const rates = job.taken.map(({ applied }) => applied)
      const highest = rates.reduce((a, b) => Math.max(a, b), 0)
      if (job.taken.length < Math.floor(stepCount / everySteps) || job.trips.length > 0) return []
      const share = rates.at(-1)! / highest
      return share <= Math.max(0.05, (8 * everySteps) / stepCount)
        ? []
        : [`last rate ${share} of the highest`]
    })
  })
})

describe('a rate above the own or usual one', () => {
  const highest = (job: ReportedJob, isCounted: (phase: string | undefined) => boolean): number =>
    job.plans
      .flatMap(({ plan }) => plan.segments)
      .filter(({ phase }) => isCounted(phase))
      .flatMap(({ from, to }) => [from, to])
      .reduce((a, b) => Math.max(a, b), 0)
  const bound = (history: History) => history.options.learningRate ?? usualRateMax(history)
  const above = (job: ReportedJob, history: History, isCounted: (phase: string | undefined) => boolean) => {
    const most = highest(job, isCounted)
    return most <= bound(history) * (1 + 1e-9) ? [] : [`${most} where ${bound(history)} is given or usual`]
  }
  const optimizers = ['sgd', 'momentum', 'adam', 'adamw', 'lion'] as const
  const settled = (seed: number) => ({
    optimizer: { name: optimizers[seed % optimizers.length]!, momentum: null },
  })

  it('is in no plan of a job that cannot race', () => {
    holdsOnSeeds((seed) => {
      const lacking = (['checkpoint', 'heldOutLoss', 'averagedWeights'] as const)[seed % 3]!
      const drawn = historyOf(seed, settled(seed))
      const capabilities = (drawn.options.capabilities ?? []).filter(
        // With both of these it races by its training loss.
        (one) => one !== lacking && (one !== 'rewind' || lacking === 'checkpoint'),
      )
      const history = historyOf(seed, { ...settled(seed), capabilities })
      return above(runOf(history), history, () => true)
    })
  })

  it('is in no large step or anneal where restores or checkpoints are refused', () => {
    holdsOnSeeds((seed) => {
      const capabilities = ['checkpoint', 'rewind', 'heldOutLoss', 'averagedWeights'] as const
      const refused = seed % 2 === 0 ? 'failed' : 'unsupported'
      const answers = seed % 4 < 2 ? { restore: refused } : { checkpoint: refused, restore: refused }
      const history = historyOf(seed, { ...settled(seed), capabilities, answers, waits: true } as never)
      return above(runOf({ ...history, evaluationSteps: 'asked' }), history, (phase) => phase !== 'warmup')
    })
  })

  it('is in no large step or anneal of a budget too short to search in', () => {
    holdsOnSeeds((seed) => {
      const history = historyOf(seed, { ...settled(seed), budgetSteps: 20 + (seed % 60) })
      return above(runOf(history), history, (phase) => phase !== 'warmup')
    })
  })
})
