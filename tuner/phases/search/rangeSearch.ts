// The range test on a run: bounds the search for the large rate from above, and hands over to a race below that
// bound. Where a race cannot be made, a stated share of the bound is used, and the record says so.

import {
  rangeAwaitSteps,
  rangeFromRateAdam,
  rangeFromRateSgd,
  rangeGrowthMin,
  rangeOnlyShare,
  rangeShareMax,
  rangeStepsMax,
  rangeToRateAdam,
  rangeToRateSgd,
} from '../../constants.ts'
import {
  canRace,
  clampedRate,
  isAdam,
  nominalBudget,
  offers,
  rateBounds,
  segmentSteps,
  usualRate,
} from '../../options.ts'
import { nextAwaitStep } from '../../plan/planOf.ts'
import { formatRate } from '../../record/sentences.ts'
import type { Sample } from '../../signals/signals.ts'
import type { TunerState } from '../../state.ts'
import { type ActionRequest, asked, decided, replanned, type Turn, updated } from '../settle.ts'
import {
  lacksForRace,
  restore,
  startCheckpoint,
  startLarge,
  warmupRule,
  withoutMeasurement,
} from './largeStart.ts'
import { raceBelow } from './raceOpening.ts'
import { runNextArm } from './raceSearch.ts'
import {
  foldRangeSample,
  type RangeOutcome,
  type RangeTestState,
  rangeOutcome,
  startRangeTest,
} from './rangeTest.ts'

/** The test within the run's limits; null = they leave no range to test. */
export function rangeWithin({ options, budgetSteps }: TunerState): RangeTestState | null {
  const { min, max } = rateBounds(options)
  const [from, to] = isAdam(options)
    ? [rangeFromRateAdam, rangeToRateAdam]
    : [rangeFromRateSgd, rangeToRateSgd]
  const toRate = Math.min(to, max)
  const fromRate = Math.max(Math.min(from, toRate / 10), min)
  if (!(fromRate > 0 && toRate > fromRate)) return null
  const affordable = Math.min(rangeShareMax * nominalBudget(budgetSteps), rangeStepsMax)
  const needed = Math.log(toRate / fromRate) / Math.log(rangeGrowthMin)
  const stepCount = Math.max(
    rangeAwaitSteps,
    Math.ceil(Math.min(affordable, needed) / rangeAwaitSteps) * rangeAwaitSteps,
  )
  return startRangeTest({ fromStep: 0, stepCount, fromRate, toRate })
}

export function foldRange(turn: Turn, sample: Sample): Turn {
  const { warmup } = turn.state
  if (warmup?.kind !== 'range') return turn
  const { loss, gradientNormSquared, step } = sample
  const { fromRate, toRate } = warmup.range
  const applied = turn.state.learningRate ?? fromRate
  const learningRate = Math.min(Math.max(applied, fromRate), toRate)
  const gradientNorm = gradientNormSquared === null ? null : Math.sqrt(gradientNormSquared)
  const range = foldRangeSample(warmup.range, { step, learningRate, loss, gradientNorm })
  const next = updated(turn, { warmup: { kind: 'range', range } })
  const outcome = rangeOutcome(range, turn.state.step)
  if (outcome.kind !== 'running') return endRange(next, outcome)
  return turn.state.step >= (turn.state.plan.awaitAtStep ?? 0) ? replanned(next) : next
}

function endRange(turn: Turn, outcome: Exclude<RangeOutcome, { kind: 'running' }>): Turn {
  const { state } = turn
  const { options, budgetSteps, warmup } = state
  const lossFirst = warmup?.kind === 'range' ? warmup.range.lossFirst : null
  if (outcome.kind === 'no-descent')
    return withoutMeasurement(turn, `the loss never fell below its start before ${outcome.sign}`)
  const bound = outcome.kind === 'found' ? outcome.divergenceRate : outcome.largestRate
  if (!canRace(options)) return rangeOnly(turn, outcome, bound, lacksForRace)
  const opening = {
    divergenceRate: bound,
    usualRate: usualRate(options),
    fromStep: 0,
    segmentSteps: segmentSteps(budgetSteps),
    budgetSteps: nominalBudget(budgetSteps),
    lossFirst,
  }
  const race = raceBelow({ ...opening, ...rateBounds(options) })
  if (race === undefined) {
    const isShort = raceBelow({ ...opening, min: 0, max: Number.MAX_VALUE }) === undefined
    return rangeOnly(turn, outcome, bound, isShort ? budgetTooShort : limitsTooNarrow)
  }
  const found =
    outcome.kind === 'found'
      ? `Training diverges at about ${formatRate(bound)} (${outcome.sign}).`
      : `Training did not diverge up to ${formatRate(bound)}, the end of the range.`
  const racing = updated(turn, { warmup: { kind: 'race', race } })
  // The job waits for this answer at the next multiple of ten steps, so that is where the first arm starts.
  return decided(runNextArm(racing, race, nextAwaitStep(state.step - 1)), {
    kind: 'lower',
    summary: `${found} Rates around ${formatRate(race.reference)} now race from the start weights.`,
    phaseBefore: 'warmup',
    rule: warmupRule,
  })
}

const budgetTooShort = 'the budget is too short for a race'
const limitsTooNarrow = "this run's limits leave fewer than two rates to race"

/** A job without a held-out loss, that cannot go back, or a short budget: a tenth of the divergence rate, named as such. */
function rangeOnly(
  turn: Turn,
  outcome: Exclude<RangeOutcome, { kind: 'running' | 'no-descent' }>,
  bound: number,
  lacking: string,
): Turn {
  const wanted = bound * rangeOnlyShare
  const rate = clampedRate(turn.state.options, wanted)
  const limited = rate === wanted ? '' : "this run's limit, for "
  const back: ActionRequest[] = offers(turn.state.options, 'checkpoint')
    ? [restore(startCheckpoint, turn.state.step)]
    : []
  const why = outcome.kind === 'found' ? outcome.sign : 'the range ended'
  const summary = `Large step ${formatRate(rate)}: ${limited}a tenth of ${formatRate(bound)}, where ${why}. Evidence is insufficient for more: ${lacking}.`
  return startLarge(asked(turn, back), {
    rate,
    largeSteps: 0,
    summary,
    kind: 'lower',
    remark: 'The large rate was not raced.',
  })
}
