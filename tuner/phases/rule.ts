// What of the switch rule is not arithmetic: how often it must hold, and what else it looks at before it calls for the switch.

import { riseOf } from '../estimators/rise.ts'
import { valleyProbesNeeded } from '../estimators/valleySlope.ts'
import { offers } from '../options.ts'
import { endOf } from '../plan/bounds.ts'
import type { AnnealReason, Large } from '../state.ts'
import { shortAnnealEnd } from './judgement.ts'
import type { MarginalCost } from './marginalCost.ts'
import type { Run } from './phase.ts'

/** The rule must hold at so many of so many consecutive probes. bench/records/2026-11-24-prototype/README.md. */
export const hitsNeeded = 2
export const hitsWindow = 3
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

/** Whether most of what is learned has not reached held-out data, at two of three probes, and a short anneal would save steps. */
export const isMemorising = (run: Run, { memorised }: Large): boolean =>
  memorised.filter(Boolean).length >= hitsNeeded && shortAnnealEnd(run) < (endOf(run) ?? Infinity)
