// The anneal, probe by probe: its course, whether it still gains, and which of its weights are kept. What the probes
// say is judged in rules/annealWatch.ts.

import type { ValleyProbe } from '../../../protocol/vocabulary.ts'
import { annealSqueezeShare, transferAnnealPart, undoChecksAt } from '../../constants.ts'
import { bestAverage } from '../../estimators/averagedGap.ts'
import { isSteering, offers } from '../../options.ts'
import { evidenceOfSignals } from '../../record/evidence.ts'
import { formatNumber, formatStep } from '../../record/sentences.ts'
import type { AnnealState } from '../../state.ts'
import { judgementNow } from '../large/judgement.ts'
import { askedCheckpoint, decided, replanned, type Turn, updated } from '../settle.ts'
import { annealRateShare } from './annealCourse.ts'
import {
  averagedFall,
  bestCheckpoint,
  isBetter,
  memorisingRise,
  type Rise,
  realisedGain,
  watchAnnealProbe,
} from './annealWatch.ts'
import { lowestCheckpoint, lowestName } from './lowest.ts'
import { withLastProbe } from './switching.ts'
import { memorisingEnd, memorisingRule, memorisingWords, transferNow, transferTest } from './transfer.ts'
import { askedBack, isUndoable, undone } from './undo.ts'
import { undoVerdict } from './undoVerdict.ts'

export const watchRule = { id: 'anneal-watch', version: 1 } as const
export const undoRule = { id: 'undo', version: 1 } as const

type AnnealProbe = { readonly step: number; readonly rawLoss: number }

/** A probe of the anneal before its last: the weights are kept if they are the best so far, and the rest may be cut. */
export function annealProbed(turn: Turn, probe: ValleyProbe): Turn {
  const { state } = turn
  const { anneal } = state
  if (anneal === null || !isSteering(state.mode)) return turn
  const { step, raw } = probe
  const losses = { step, rawLoss: raw.loss, averagedLoss: bestAverage(probe)?.loss ?? raw.loss }
  const watch = watchAnnealProbe(anneal.watch, losses)
  const watched = withBest(updated(turn, { anneal: { ...anneal, watch } }), losses)
  const rise =
    offers(state.options, 'heldOutLoss') && anneal.rest?.isEarly !== true ? memorisingRise(watch) : null
  if (rise !== null) return squeezed(watched, rise)
  return reconsidered(finishedEarly(watched))
}

/**
 * A switch by the rule begins an anneal to the end of the budget. In its first part it is asked again whether that would
 * memorise: some runs begin to only then, and long before held-out loss rises.
 */
function finishedEarly(turn: Turn): Turn {
  const { state } = turn
  const { anneal, step, budgetSteps, phase } = state
  if (anneal?.reason !== 'rule' || anneal.rest !== null) return turn
  if (step - anneal.fromStep > transferAnnealPart * (anneal.toStep - anneal.fromStep)) return turn
  const transfer = transferNow(state)
  if (transfer?.isMemorising !== true) return turn
  const toStep = memorisingEnd(step)
  if (toStep >= anneal.toStep) return turn
  const next = endingAt(turn, anneal, toStep, annealRateShare(anneal, step, budgetSteps))
  return decided(replanned(withLastProbe(next)), {
    kind: 'lower',
    summary:
      `The anneal is cut short at step ${formatStep(step)} and ends at ${formatStep(toStep)} instead of ${formatStep(anneal.toStep)}: ` +
      `${memorisingWords(transfer)}.`,
    phaseBefore: phase,
    rule: memorisingRule,
    test: transferTest(transfer),
  })
}

/** The rest of the anneal ends early, from this share of its first rate on. */
function endingAt(turn: Turn, anneal: AnnealState, toStep: number, rateShare: number): Turn {
  const rest = { fromStep: turn.state.step, fromRate: rateShare * anneal.fromRate, isEarly: true }
  return updated(turn, { anneal: { ...anneal, toStep, rest } })
}

/** At a quarter and at half of the anneal: was the switch a mistake? A person's word, or overfitting, is not asked. */
function reconsidered(turn: Turn): Turn {
  const { state } = turn
  const { anneal, step, isUndone, mode } = state
  // What a person has approved is undone by a person.
  if (mode !== 'auto' || anneal?.reason !== 'rule' || isUndone || anneal.rest !== null || !isUndoable(state))
    return turn
  const mark = undoChecksAt[anneal.undoChecks]
  if (mark === undefined || step - anneal.fromStep < mark * (anneal.toStep - anneal.fromStep)) return turn
  const checked = updated(turn, { anneal: { ...anneal, undoChecks: anneal.undoChecks + 1 } })
  const judgement = judgementNow(state)
  const verdict = undoVerdict({
    fall: averagedFall(anneal.watch),
    realised: realisedGain(anneal.watch),
    scale: anneal.scale,
    largeStepsBefore: anneal.fromLargeSteps,
    largeSteps: state.largeSteps,
    stepsLeft: (state.budgetSteps ?? step) - step,
    expected: anneal.expectedGain,
    rateShare: annealRateShare(anneal, step, state.budgetSteps),
  })
  if (verdict === null) return checked
  const evidence = evidenceOfSignals(judgement.reading, judgement.gain)
  return undone(checked, anneal, { ...verdict, rule: undoRule, evidence })
}

/** Keeps the weights of a new best. */
function withBest(turn: Turn, { step, rawLoss }: AnnealProbe): Turn {
  const { anneal, options } = turn.state
  if (anneal === null || !offers(options, 'checkpoint', 'heldOutLoss')) return turn
  const { watch } = anneal
  if (!isBetter(rawLoss, watch.best)) return turn
  const asks = askedCheckpoint(turn, { atStep: step, checkpoint: bestCheckpoint })
  return updated(asks, { anneal: { ...anneal, watch: { ...watch, best: { step, loss: rawLoss } } } })
}

/**
 * The rest of the anneal in a fraction of the steps so far, from the weights of the lowest averaged loss, where those
 * are kept: what was memorised since is not forgotten by annealing. Nothing where as little is left anyway.
 */
function squeezed(turn: Turn, { from, to, standardError }: Rise): Turn {
  const { state } = turn
  const { anneal, step, budgetSteps, phase, lowest } = state
  if (anneal === null) return turn
  const fromStep = lowest?.step ?? step
  const share = annealRateShare(anneal, Math.max(fromStep, anneal.fromStep), budgetSteps)
  const toStep = step + Math.max(2, Math.ceil(annealSqueezeShare * (1 + share) * fromStep))
  if (toStep >= anneal.toStep) return turn
  const next = endingAt(turn, anneal, toStep, share)
  const weights =
    lowest === null ? '' : `, from the ${lowestName(state.options)} of step ${formatStep(lowest.step)}`
  return decided(replanned(withLastProbe(lowest === null ? next : askedBack(next, lowestCheckpoint))), {
    kind: 'lower',
    summary:
      `The anneal is cut short at step ${formatStep(step)} and ends at ${formatStep(toStep)} instead of ${formatStep(anneal.toStep)}${weights}: ` +
      `held-out loss of the averaged weights has risen from ${formatNumber(from)} to ${formatNumber(to)}, so more steps would only memorise.`,
    phaseBefore: phase,
    rule: watchRule,
    test: {
      key: 'rise',
      left: { value: to, standardError },
      relation: '>',
      right: { value: from, standardError: null },
      satisfied: true,
      hits: { met: 2, of: 3 },
      probability: null,
    },
  })
}
