// The record of a switch, or of the wish for one: why the anneal begins, in keys and numbers.

import type { DecisionTest } from '../../protocol/vocabulary.ts'
import type { Memorising } from '../estimators/memorising.ts'
import { valleyProbesNeeded } from '../estimators/valleySlope.ts'
import { canJudge, offers } from '../options.ts'
import { comparison, evidenceOf } from '../record/evidence.ts'
import type { Anneal, AnnealReason } from '../state.ts'
import { hitsOf, type Judgement, memorisingTest } from './judgement.ts'
import type { Draft, Run } from './phase.ts'

/** The rule whose word a switch is. */
const ruleOf = (reason: AnnealReason, isOpen: boolean): Draft['rule'] => {
  if (reason === 'overfitting') return 'rise'
  if (reason === 'memorising') return 'memorising'
  if (reason === 'command') return 'person'
  if (reason === 'guard') return 'divergence-guard'
  return isOpen ? 'diminishing-returns' : 'marginal-cost'
}

export function switchDraft(run: Run, anneal: Anneal, judgement: Judgement): Draft {
  const { reason, fromStep, toStep } = anneal
  const { cost, reading, memorising } = judgement
  const sign = reason === 'memorising' ? memorising : undefined
  return {
    kind: 'switch',
    rule: ruleOf(reason, run.budgetSteps === null),
    reason: reason === 'fallback' ? `anneal-${lackingNow(run, judgement)}` : `anneal-${reason}`,
    values: {
      fromStep,
      toStep,
      staying: cost?.staying.value ?? null,
      annealing: cost?.annealing.value ?? null,
      probes: reading.valley.count,
      needed: valleyProbesNeeded,
      ...(sign === undefined ? {} : fallsOf(run, sign)),
    },
    test: sign === undefined ? testOf(run, judgement) : memorisingTest(sign, memorisedHits(run)),
    evidence: evidenceOf(judgement),
    outlook: run.course.kind === 'large' ? run.course.outlook : null,
    promised: anneal.promised,
  }
}

/** With a budget two signs of three are enough; without one it must hold at each of three probes. */
const memorisedHits = ({ course }: Run) =>
  course.kind === 'large' ? hitsOf(course.memorised) : { met: 1, of: 1 }

/** What the sentence about memorising needs. */
export const fallsOf = (run: Run, { fromStep, trainingFall, heldOutFall }: Memorising) => ({
  sinceStep: (run.seen.origin ?? 0) + fromStep,
  trainingFall,
  heldOutFall,
})

/** What was asked of the rule, and what it said; undefined = there was nothing to compare. */
export function testOf(run: Run, { cost, diminishing }: Judgement): DecisionTest | undefined {
  const { course, budgetSteps } = run
  if (course.kind !== 'large') return undefined
  if (budgetSteps === null) {
    if (diminishing === undefined) return undefined
    const { gain, worth, isEnough: satisfied } = diminishing
    return comparison('diminishing-returns', gain, '<=', worth, { satisfied, hits: hitsOf(course.verdicts) })
  }
  if (cost === undefined) return undefined
  const { staying, annealing, satisfied, probability } = cost
  const hits = hitsOf(course.verdicts)
  return comparison('marginal-cost', staying, '<=', annealing, { satisfied, hits, probability })
}

/** What keeps the rule from judging: the fallback plan in force. */
export function lackingNow({ options, seen, course }: Run, { reading, cost }: Judgement): string {
  const { signals } = seen
  if (!canJudge(options)) return 'fallback-blind'
  if (course.kind === 'large' && course.isDearSaid) return 'fallback-few'
  // Probes took time, and none was of the set that was offered.
  if (offers(options, 'heldOutLoss') && signals.probeLosses.length === 0 && signals.cost.probe !== null)
    return 'fallback-wrong-set'
  if (reading.valley.count < valleyProbesNeeded) return 'fallback-few'
  return cost === undefined ? 'fallback-no-gain' : 'fallback-followed'
}
