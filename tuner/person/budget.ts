// Another budget while the run goes on: what it changes is decided at once. Longer: an anneal that began because little was
// left, or because staying gained no more, is judged anew and may be undone, at each raise; else it lengthens from its present rate.
// Shorter: the rule may be met now; where less than a tenth is left the anneal begins by the plan.

import type { Command, DecisionTest } from '../../protocol/vocabulary.ts'
import { annealCourse, enterAnneal, enterDone, lastProbe } from '../phases/enter.ts'
import { type Judgement, judgementNow } from '../phases/judgement.ts'
import { weightsAtHand } from '../phases/kept.ts'
import type { Draft, Outcome, Run } from '../phases/phase.ts'
import { noVerdicts } from '../phases/rule.ts'
import { switchDraft } from '../phases/switchRecord.ts'
import { deadlineStep, endOf, fallbackStep, lengthOf, originOf } from '../plan/bounds.ts'
import { annealRateShare } from '../plan/segments.ts'
import { comparison } from '../record/evidence.ts'
import { rebudgetedSignals } from '../signals/signals.ts'
import type { Anneal } from '../state.ts'
import { isUndoable, undone } from './undo.ts'

/** A shorter budget switches at once where the rule is met more likely than not. Chosen. */
const certainty = 0.5

export function rebudgeted(
  run: Run,
  { budgetSteps, by, reason }: Extract<Command, { kind: 'set-budget' }>,
): Outcome {
  const { seen, course } = run
  const changed: Run = { ...run, budgetSteps }
  const signals = rebudgetedSignals(seen.signals, lengthOf(changed))
  const next: Run = { ...changed, seen: { ...seen, signals } }
  const change = { budgetSteps, seen: next.seen }
  const draft: Draft = {
    kind: 'hold',
    rule: 'person',
    reason: budgetSteps === null ? 'budget-removed' : 'budget-set',
    values: {
      budgetSteps,
      step: seen.step,
      ...(originOf(run) > 0 && { origin: originOf(run), end: endOf(changed) }),
    },
    person: { by, reason },
  }
  const end = endOf(next)
  if (end !== null && seen.step >= end) {
    const { keep, values } = weightsAtHand(next)
    const ended = enterDone(next, { isAsked: true, keep }, [
      { ...draft, kind: 'finish', reason: 'finished-by-budget', values: { ...draft.values, ...values } },
    ])
    return { ...ended, change: { ...change, ...ended.change } }
  }
  const outcome =
    course.kind === 'anneal'
      ? ofAnneal(run, next, course, draft)
      : course.kind === 'large'
        ? ofLarge(
            {
              ...next,
              course: {
                ...course,
                outlook: null,
                ...noVerdicts,
              },
            },
            draft,
          )
        : { course, records: [draft] }
  return { ...outcome, change: { ...change, ...outcome.change } }
}

/** The rule asked at once, at its own word where that is plain: the next probes may be far. */
function ofLarge(run: Run, draft: Draft): Outcome {
  const { mode, person } = run
  const held = { course: run.course, records: [draft] }
  if (mode !== 'auto' || person.override !== null || deadlineStep(run) === null) return held
  const judgement = judgementNow(run)
  const { cost } = judgement
  if (cost?.satisfied !== true || (cost.probability ?? 0) < certainty) return held
  const anneal = annealCourse(run, 'rule', judgement, run.seen.step)
  return enterAnneal(run, anneal, [draft, switchDraft(run, anneal, judgement)])
}

function ofAnneal(before: Run, run: Run, course: Anneal, draft: Draft): Outcome {
  const end = endOf(run)
  const isLonger = end !== null && end > course.toStep
  const test = isLonger && run.mode === 'auto' && isUndoable(run) ? undoOfLonger(run, course) : null
  if (test !== null) {
    const undo = undone(run, course, { reason: 'undone-longer', rule: 'marginal-cost', ...test })
    return { ...undo, records: [draft, ...(undo.records ?? [])] }
  }
  const moved = moveEnd(before, course, end)
  return {
    course: moved,
    withdraw: ({ kind }) => kind === 'probe',
    ask: lastProbe(run, moved.toStep),
    records: [draft],
  }
}

/** Why a longer budget undoes the switch; null = it stands. */
function undoOfLonger(run: Run, course: Anneal): { readonly test?: DecisionTest } | null {
  const isOurs = course.reason === 'rule' || course.reason === 'deadline' || course.reason === 'fallback'
  if (!isOurs) return null
  const test = longerTest(judgementNow(run), course)
  if (test !== null) return test.satisfied ? { test } : null
  // Nothing was measured: back if the fallback plan would not have switched yet.
  return run.seen.step < (fallbackStep(run) ?? 0) ? {} : null
}

/** The switch rule with the rest that there is now, and with what annealing was to gain at the large rate. */
function longerTest({ cost }: Judgement, { scale }: Anneal): DecisionTest | null {
  if (cost === undefined || scale === null) return null
  const satisfied = cost.staying.value > 2 * scale
  return comparison('longer-budget', cost.staying, '>', 2 * scale, { satisfied })
}

/**
 * An anneal ends with the budget; one that was to end early, because more steps would memorise, at most there. Its rate goes
 * on from where it is.
 */
function moveEnd(before: Run, course: Anneal, end: number | null): Anneal {
  if (end === null) return course
  const { step } = before.seen
  const toStep = Math.max(course.isCutShort ? Math.min(course.toStep, end) : end, step + 1)
  const fromRate = course.fromRate * annealRateShare(course, step, lengthOf(before))
  return { ...course, toStep, rest: { fromStep: step, fromRate } }
}
