// Why it is not yet time: the reason of a hold, in keys and numbers.

import { valleyProbesNeeded } from '../../estimators/valleySlope.ts'
import { canJudge } from '../../options.ts'
import { earliestSwitchStep, fallbackStep } from '../../plan/bounds.ts'
import { evidenceOf } from '../../record/evidence.ts'
import type { Large } from '../../state.ts'
import type { Judgement } from '../judgement.ts'
import type { Draft, Outcome, Run } from '../phase.ts'
import { hitsNeeded } from '../rule.ts'
import { testOf } from '../switchRecord.ts'

export type Why = { readonly key: string; readonly values?: Readonly<Record<string, number | null>> }

export function whyNotYet(run: Run, course: Large, { reading, cost }: Judgement): Why {
  if (!canJudge(run.options)) return { key: 'blind', values: { fallback: fallbackStep(run) } }
  const { count } = reading.valley
  if (count < valleyProbesNeeded) return { key: 'few-probes', values: { count, needed: valleyProbesNeeded } }
  if (cost === undefined) return { key: 'no-gain' }
  const met = course.verdicts.filter(Boolean).length
  if (!cost.satisfied) {
    const { staying, annealing, probability, earliestStep } = cost
    const sides = { staying: staying.value, annealing: annealing.value }
    return { key: 'staying-gains', values: { ...sides, probability, earliestStep } }
  }
  if (met >= hitsNeeded) return { key: 'too-early', values: { earliest: earliestSwitchStep(run) } }
  return { key: 'hits', values: { met, needed: hitsNeeded } }
}

/** The record of a hold; `endsQuestion`: the evidence no longer asks for what a person was asked. */
export function held(
  run: Run,
  course: Large,
  judgement: Judgement,
  { key, values }: Why,
  endsQuestion = false,
): Outcome {
  const rate = course.rate ?? run.seen.learningRate
  const draft: Draft = {
    kind: 'hold',
    rule: run.budgetSteps === null ? 'diminishing-returns' : 'marginal-cost',
    reason: key,
    values: { rate, ...values },
    isHold: true,
    test: testOf(run, judgement),
    evidence: evidenceOf(judgement),
    outlook: course.outlook,
  }
  // Advice stands until the evidence no longer gives it; as long as it does there is nothing new to say.
  const advisedAtStep = endsQuestion ? null : course.advisedAtStep
  if (advisedAtStep !== null) return { course }
  return { course: { ...course, advisedAtStep }, records: [draft], ...(endsQuestion ? { endsQuestion } : {}) }
}
