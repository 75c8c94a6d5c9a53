// What of the switch rule is not arithmetic: how often it must hold, and what else it looks at before it calls for the switch.

import { riseOf } from '../estimators/rise.ts'
import { valleyProbesNeeded } from '../estimators/valleySlope.ts'
import { offers } from '../options.ts'
import type { AnnealReason, Large } from '../state.ts'
import type { Judgement } from './judgement.ts'
import type { MarginalCost } from './marginalCost.ts'
import type { Run } from './phase.ts'

/** The rule must hold at so many of so many consecutive probes. bench/records/2026-11-24-prototype/README.md. */
export const hitsNeeded = 2
export const hitsWindow = 3
/** What the rule has said of a large step that begins anew, or under other circumstances: nothing. */
export const noVerdicts: Pick<Large, 'verdicts' | 'sureVerdicts' | 'knownProbes'> = {
  verdicts: [],
  sureVerdicts: [],
  knownProbes: 0,
}
/** Held-out loss of averaged weights rises by so many deviations: more steps cost. estimators/rise.ts. */
export const riseDeviations = 5
/** Where the rule asks for the switch anyway and its slope is negative, less than that says that the valley rises. */
export const riseDeviationsAtSwitch = 3

/** Whether held-out loss rises: then a budget is a maximum, and more steps cost. */
export function isRising({ options, seen }: Run, deviations: number): boolean {
  const { averagedLosses, valley } = seen.signals
  if (!offers(options, 'heldOutLoss') || valley.count < valleyProbesNeeded) return false
  return riseOf(averagedLosses, { deviations }) !== null
}

/**
 * Why the rule switches. A rising valley meets it before it is plain enough to switch by itself; then an anneal to the
 * end of the budget would memorise as well. The error of the fit does not tell: a valley that turns up is no power law.
 */
export const ruleReason = (run: Run, cost: MarginalCost): AnnealReason =>
  cost.staying.value < 0 && isRising(run, riseDeviationsAtSwitch) ? 'overfitting' : 'rule'

/** What a run learns must plainly not reach held-out data before it ends for that. With the sign alone one of 2,473 runs that fell
 *  all along was ended (tuner/testing/laws/replay.property.test.ts). */
const memorisingErrors = 4

/** Whether most of what is learned plainly has not reached held-out data, at so many of the last three probes. */
export const isMemorising = ({ memorised }: Large, { memorising }: Judgement, needed: number): boolean =>
  (memorising?.errorsBelowOne ?? 0) > memorisingErrors && memorised.filter(Boolean).length >= needed
