// Without a budget: each probe of the large phase goes to the sequential test, and here is what it says. A run goes on until
// a step is not worth it any more, or until what it learns no longer reaches held-out data, at three probes in a row. A rise
// alone is no reason here: looked at for ever, chance makes one some day. It only says that the anneal must be short.

import {
  foldSequentialProbe,
  initialSequentialTest,
  interrupted,
  readSequentialTest,
  type SequentialTestState,
} from '../../estimators/sequentialTest.ts'
import { elapsedOf, originOf } from '../../plan/bounds.ts'
import type { Large } from '../../state.ts'
import { type Judgement, tolerancePerStep, toleranceSteps } from '../judgement.ts'
import type { Outcome, Run } from '../phase.ts'
import { hitsWindow, isMemorising, isRising, riseDeviationsAtSwitch } from '../rule.ts'
import { wanted } from './asking.ts'
import { held, type Why } from './hold.ts'

/** The test with the newest probe. A rate set by hand, weights that went back, and a budget are no part of it. */
export function foldedOpen(run: Run, { sequential }: Large, judgement: Judgement): SequentialTestState {
  const { budgetSteps, person, seen, trajectory } = run
  if (budgetSteps !== null) return initialSequentialTest
  if (person.override !== null) return interrupted(sequential)
  const isContinued = sequential.lastStep >= trajectory.validFromStep - originOf(run)
  return foldSequentialProbe(isContinued ? sequential : interrupted(sequential), {
    step: elapsedOf(run),
    averagedLoss: seen.signals.averagedLosses.at(-1) ?? Number.NaN,
    tolerancePerStep: tolerancePerStep(judgement),
  })
}

export function judgedOpen(run: Run, course: Large, judgement: Judgement): Outcome {
  // Here is no budget in which to look again.
  if (isMemorising(course, judgement, hitsWindow)) return wanted(run, course, 'memorising', judgement)
  if (!readSequentialTest(course.sequential).satisfied)
    return held(run, course, judgement, whyOpen(course, judgement), true)
  const reason = isRising(run, riseDeviationsAtSwitch) ? 'overfitting' : 'tolerance'
  return wanted(run, course, reason, judgement)
}

function whyOpen(course: Large, judgement: Judgement): Why {
  const reading = readSequentialTest(course.sequential)
  const { evidence, evidenceNeeded, blockCount, blocksNeeded, lookCount } = reading
  if (lookCount === 0 && blockCount < blocksNeeded)
    return { key: 'few-probes', values: { count: blockCount, needed: blocksNeeded } }
  const tolerance = tolerancePerStep(judgement)
  if (tolerance === null) return { key: 'open-no-gain' }
  const worth = { worth: tolerance * toleranceSteps, per: toleranceSteps }
  return { key: 'open-evidence', values: { evidence, needed: evidenceNeeded, ...worth } }
}
