// When other rules would have acted on the same observations, for every decision record: the step at which each
// would first have lowered the rate, null while it would not have. Rules over held-out losses (ReduceLROnPlateau,
// GreedyLR) see the raw loss of each held-out valley probe and are left out where the job sends none; dlib's rule sees the
// training losses, as means of ten; fixed anneals look at the step alone. All keep their published defaults. They
// start with the large phase, and begin afresh with the weights that a restore or an undone switch brings; in the
// anneal they see nothing, as its falling losses are our doing. Cost: O(1) per sample; state under 10 kB.

import { formatPercent } from '../../protocol/numbers.ts'
import type { Counterfactual, RunOptions } from '../../protocol/vocabulary.ts'
import type { Rows } from '../estimators/estimator.ts'
import { offers } from '../options.ts'
import { type DlibSlopeState, dlibSlope, slopeOver } from './dlibSlope.ts'
import { type GreedyLRState, greedyLimits, greedyLR } from './greedyLR.ts'
import { type ReduceOnPlateauState, reduceOnPlateau } from './reduceOnPlateau.ts'
import type { Rival, RivalObservation, RivalReading } from './rival.ts'

// Counterfactuals in decision records. Chosen: fixed anneals over these shares of the budget; dlib's rule, whose window is 2,000 losses, sees means of so many of them, so that its part of the state stays small: what that changes is in bench/records/2026-11-24-rivals/README.md.
const counterfactualShares = [0.2, 0.45, 0.8] as const
const counterfactualBlockSteps = 10

/** First step of a fixed anneal over the last `share` of the budget (Hu et al. 2024, Hägele et al. 2024). */
export const cooldownStep = (budgetSteps: number, share: number): number =>
  budgetSteps - Math.round(share * budgetSteps)

export type RivalsState = {
  /** The weights that were watched are those from this step on. */
  readonly fromStep: number
  readonly plateau: ReduceOnPlateauState
  readonly greedy: GreedyLRState
  readonly dlib: DlibSlopeState
}

function begun(fromStep: number, initialRate: number): RivalsState {
  return {
    fromStep,
    plateau: reduceOnPlateau.init({ initialRate }),
    greedy: greedyLR.init({ initialRate, ...greedyLimits(initialRate) }),
    dlib: dlibSlope.init({ initialRate, blockSteps: counterfactualBlockSteps }),
  }
}

type Lowering = Pick<RivalReading, 'firstLoweredStep'>

/** The rivals' state after one more observation; only a first lowering counts, so a rule that has acted rests. */
function watched(
  { fromStep, plateau, greedy, dlib }: RivalsState,
  observation: RivalObservation,
): RivalsState {
  const after = <S extends Lowering>(rule: Rival<never, S>, state: S): S =>
    state.firstLoweredStep === null ? rule.update(state, observation) : state
  return {
    fromStep,
    plateau: after(reduceOnPlateau, plateau),
    greedy: after(greedyLR, greedy),
    dlib: after(dlibSlope, dlib),
  }
}

/**
 * What becomes of the rivals by an observation of weights that are in force. `fromStep`: since when the large step has had
 * them, null = it has not. Losses that are not finite are left out, as everywhere in the tuner: alone, dlib's rule would
 * wait until they have left its window.
 */
export function watchedRivals(
  rivals: RivalsState | null,
  observation: RivalObservation,
  { fromStep, rate }: { readonly fromStep: number | null; readonly rate: number | null },
): RivalsState | null {
  const loss = observation.kind === 'step' ? observation.loss : observation.heldOutLoss
  if (fromStep === null || !Number.isFinite(loss)) return rivals
  if (rivals?.fromStep === fromStep) return watched(rivals, observation)
  return rate === null || !(rate > 0) ? rivals : watched(begun(fromStep, rate), observation)
}

/** The training losses of rows, finite, one by one: of these rules dlib's alone reads them. */
export const watchedLosses = (
  rivals: RivalsState,
  steps: readonly number[],
  losses: readonly (number | null)[],
  rows: Rows,
): RivalsState => ({
  fromStep: rivals.fromStep,
  plateau: rivals.plateau,
  greedy: rivals.greedy,
  dlib: slopeOver(rivals.dlib, steps, losses, rows),
})

/** When each rule would have acted, in the order in which the page lists them; empty before the large phase. */
export function counterfactualsOf(run: {
  readonly rivals: RivalsState | null
  readonly options: RunOptions
  readonly origin: number
  /** One past the last step; null = no budget. */
  readonly end: number | null
  readonly step: number
  /** The final loss of an anneal from a step on; null = not known. */
  readonly annealedLoss: (switchStep: number) => number | null
}): readonly Counterfactual[] {
  const { rivals, options, origin, end, step, annealedLoss } = run
  if (rivals === null) return []
  const heldOut = offers(options, 'heldOutLoss')
    ? [
        { rule: greedyLR.name, step: rivals.greedy.firstLoweredStep },
        { rule: reduceOnPlateau.name, step: rivals.plateau.firstLoweredStep },
      ]
    : []
  const fixed = (end === null ? [] : counterfactualShares).map((share) => {
    const fromStep = origin + cooldownStep((end ?? 0) - origin, share)
    const rule = `Fixed ${formatPercent(share)} anneal`
    return step >= fromStep ? { rule, step: fromStep } : { rule, step: null, plannedStep: fromStep }
  })
  const rules: readonly Counterfactual[] = [
    ...heldOut,
    { rule: dlibSlope.name, step: rivals.dlib.firstLoweredStep },
    ...fixed,
  ]
  return rules.map((rule) => {
    const fromStep = rule.step ?? rule.plannedStep
    const finalLoss = fromStep === undefined ? null : annealedLoss(fromStep)
    return finalLoss === null ? rule : { ...rule, finalLoss }
  })
}
