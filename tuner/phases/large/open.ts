// Without a budget a run goes on until as many steps again are not worth it any more, or until what it learns no longer reaches
// held-out data, at three probes in a row. A rise alone is no reason here: looked at for ever, chance makes one some day. It only
// says that the anneal must be short.

import { latePointsNeeded, lateSlope } from '../../estimators/lateSlope.ts'
import type { Large } from '../../state.ts'
import type { Judgement } from '../judgement.ts'
import type { Outcome, Run } from '../phase.ts'
import { hitsNeeded, hitsWindow, isMemorising, isRising, riseDeviationsAtSwitch } from '../rule.ts'
import { wanted } from './asking.ts'
import { held, type Why } from './hold.ts'

export function judgedOpen(run: Run, course: Large, judgement: Judgement): Outcome {
  // Here is no budget in which to look again.
  if (isMemorising(course, judgement, hitsWindow)) return wanted(run, course, 'memorising', judgement)
  const hits = course.verdicts.filter(Boolean).length
  if (judgement.diminishing?.isEnough && hits >= hitsNeeded) {
    const reason = isRising(run, riseDeviationsAtSwitch) ? 'overfitting' : 'tolerance'
    return wanted(run, course, reason, judgement)
  }
  return held(run, course, judgement, whyOpen(run, judgement, hits), hits < hitsNeeded)
}

function whyOpen(run: Run, { diminishing }: Judgement, hits: number): Why {
  if (diminishing === undefined) {
    const { count } = lateSlope(run.seen.signals.valley.points)
    return { key: 'few-probes', values: { count, needed: latePointsNeeded } }
  }
  const { gain, worth, isEnough } = diminishing
  if (isEnough) return { key: 'enough-hits', values: { met: hits, needed: hitsNeeded } }
  return { key: 'still-worth', values: { gain: gain.value, error: gain.standardError, worth } }
}
