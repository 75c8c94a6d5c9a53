// Another budget while the run goes on: what it changes is decided at once. Longer: an anneal that began because little
// was left, or because staying gained no more, is judged anew and may be undone, once; else it lengthens from its
// present rate. Shorter: the rule may be met now; where less than a tenth is left the anneal begins by the plan.

import type { DecisionTest } from '../../protocol/vocabulary.ts'
import { rebudgetProbability } from '../constants.ts'
import { annealRateShare, isShort } from '../phases/anneal/annealCourse.ts'
import { switched, withLastProbe } from '../phases/anneal/switching.ts'
import { isUndoable, undone } from '../phases/anneal/undo.ts'
import { finished } from '../phases/done.ts'
import { type Judgement, judgementNow, switchRule } from '../phases/large/judgement.ts'
import { decided, proposalEnded, replanned, type Turn, updated } from '../phases/settle.ts'
import { fallbackSwitchStep } from '../plan/segments.ts'
import { formatStep } from '../record/sentences.ts'
import { rebudgetedSignals } from '../signals/signals.ts'
import type { AnnealState, TunerState } from '../state.ts'

const personRule = { id: 'person', version: 1 } as const

export function rebudgeted(before: Turn, budgetSteps: number | null): Turn {
  const turn = proposalEnded(before, 'superseded', 'the budget was changed by hand')
  const { state } = turn
  const { anneal, step } = state
  const said = budgetSteps === null ? 'Budget removed' : `Budget set to ${formatStep(budgetSteps)} steps`
  const here = `${said} at step ${formatStep(step)}`
  const next = updated(turn, {
    budgetSteps,
    signals: rebudgetedSignals(state.signals, budgetSteps),
    outlook: null,
    rule: { satisfied: [], evaluatedAtStep: step },
  })
  if (budgetSteps !== null && step >= budgetSteps)
    return finished(next, { keep: 'last', summary: `${here}: finished.` })
  const recorded = (after: Turn) =>
    decided(replanned(after), {
      kind: 'hold',
      summary: `${here}.`,
      phaseBefore: state.phase,
      rule: personRule,
    })
  if (anneal === null) return switchedNow(recorded(next))
  const isLonger = budgetSteps !== null && budgetSteps > anneal.toStep
  const verdict = isLonger ? undoOfLonger(next.state, anneal) : null
  if (verdict !== null) return undone(recorded(next), anneal, verdict)
  const moved = updated(next, { anneal: rebudgetedAnneal(state, anneal, budgetSteps) })
  return recorded(withLastProbe(moved))
}

/** The rule asked at once, at its own word where that is plain: the next probes may be far. */
function switchedNow(turn: Turn): Turn {
  const { state } = turn
  if (
    state.phase !== 'large' ||
    state.mode !== 'auto' ||
    state.override !== null ||
    state.budgetSteps === null
  )
    return turn
  const judgement = judgementNow(state)
  const { cost } = judgement
  if (cost?.satisfied !== true || (cost.probability ?? 0) < rebudgetProbability) return turn
  return switched(turn, 'rule', judgement)
}

/** Why a longer budget undoes the switch; null = it stands. */
function undoOfLonger(state: TunerState, anneal: AnnealState) {
  const { step, isUndone, budgetSteps, mode } = state
  const isOurs = anneal.reason === 'rule' || anneal.reason === 'deadline' || anneal.reason === 'fallback'
  if (!isOurs || isUndone || mode !== 'auto' || budgetSteps === null || !isUndoable(state)) return null
  const because = 'the budget is longer'
  const judgement = judgementNow(state)
  const test = longerTest(judgement, anneal)
  if (test !== null) return test.satisfied ? { because, rule: switchRule, test } : null
  // Nothing was measured: back if the fallback plan would not have switched yet.
  return step < fallbackSwitchStep(0, budgetSteps) ? { because, rule: switchRule } : null
}

/** The switch rule with the rest that there is now, and with what annealing was to gain at the large rate. */
function longerTest({ cost }: Judgement, { scale }: AnnealState): DecisionTest | null {
  if (cost === undefined || scale === null) return null
  return {
    key: 'longer-budget',
    left: cost.staying,
    relation: '>',
    right: { value: 2 * scale, standardError: null },
    satisfied: cost.staying.value > 2 * scale,
    hits: { met: 1, of: 1 },
    probability: null,
  }
}

/**
 * An anneal ends with the budget; one that was to end early, because more steps would memorise, at most there. Its rate goes on
 * from where it is.
 */
function rebudgetedAnneal(
  { step, budgetSteps: budgetBefore }: TunerState,
  anneal: AnnealState,
  budgetSteps: number | null,
): AnnealState {
  if (budgetSteps === null) return anneal
  const { reason, rest } = anneal
  const endsEarly = isShort(reason) || rest?.isEarly === true
  const toStep = Math.max(endsEarly ? Math.min(anneal.toStep, budgetSteps) : budgetSteps, step + 1)
  const fromRate = anneal.fromRate * annealRateShare(anneal, step, budgetBefore)
  return { ...anneal, toStep, rest: { fromStep: step, fromRate, isEarly: endsEarly } }
}
