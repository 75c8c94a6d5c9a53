// Undoing a switch: back to the large step, by a person or on evidence. The rate climbs again from the annealed
// weights, which are lower in the valley than those at the switch; only where more than half of the anneal is done
// and held-out loss is worse than before it does the run go back to the weights of the switch. What the probes of the
// anneal said of the valley is forgotten: they lie below it, and going back up would look like overfitting.

import type { DecisionTest, Evidence } from '../../../protocol/vocabulary.ts'
import { undoRampShare, undoShareMin } from '../../constants.ts'
import { averagedGap } from '../../estimators/averagedGap.ts'
import { valleyUpTo } from '../../estimators/valleySlope.ts'
import { watchAfresh } from '../../guard/divergence.ts'
import { isSteering, nominalBudget, offers } from '../../options.ts'
import { formatRate, formatStep } from '../../record/sentences.ts'
import type { SignalsState } from '../../signals/signals.ts'
import type { AnnealState, TunerState } from '../../state.ts'
import { asked, decided, inPhase, replanned, type Turn, updated, withdrawn } from '../settle.ts'
import { annealRateShare } from './annealCourse.ts'
import { isWorseThanBefore, switchCheckpoint } from './annealWatch.ts'

export type UndoReason = {
  /** In brackets after the step, or '' for none. */
  readonly because: string
  readonly rule: { readonly id: string; readonly version: number }
  readonly test?: DecisionTest
  readonly evidence?: readonly Evidence[]
}

/** An undo needs room to anneal once more. */
export const isUndoable = ({ budgetSteps, step }: TunerState): boolean =>
  budgetSteps === null || (budgetSteps - step) / budgetSteps >= undoShareMin

/** Ends the anneal under way and climbs back to the large rate. */
export function undone(turn: Turn, anneal: AnnealState, reason: UndoReason): Turn {
  const { state } = turn
  const { budgetSteps, step, phase } = state
  const { because, rule, test, evidence } = reason
  const isBack = goesBack(turn, anneal)
  const climbSteps = Math.max(1, Math.round(undoRampShare * nominalBudget(budgetSteps)))
  const fromRate = anneal.fromRate * annealRateShare(anneal, step, budgetSteps)
  const large = updated(
    inPhase(
      withdrawn(turn, ({ kind }) => kind === 'probe' || kind === 'checkpoint'),
      'large',
    ),
    {
      anneal: null,
      switchStep: null,
      isUndone: true,
      outlook: null,
      rule: { satisfied: [], evaluatedAtStep: step },
      rewarm: { fromStep: step, toStep: step + climbSteps, fromRate },
      divergence: watchAfresh(state.divergence),
      signals: withoutAnneal(state.signals, anneal),
    },
  )
  const weights = isBack ? `, from the weights of step ${formatStep(anneal.fromStep)}` : ''
  return decided(replanned(isBack ? askedBack(large, switchCheckpoint, anneal.fromLargeSteps) : large), {
    kind: 'undo',
    summary: `Switch undone at step ${formatStep(step)}${because === '' ? '' : ` (${because})`}: back to ${formatRate(anneal.fromRate)} over ${formatStep(climbSteps)} steps${weights}.`,
    phaseBefore: phase,
    rule,
    ...(test === undefined ? {} : { test }),
    ...(evidence === undefined ? {} : { evidence }),
  })
}

function goesBack({ state }: Turn, anneal: AnnealState): boolean {
  const isOverHalf = 2 * (state.step - anneal.fromStep) > anneal.toStep - anneal.fromStep
  return (
    isSteering(state.mode) &&
    anneal.isCheckpointed &&
    offers(state.options, 'checkpoint') &&
    isOverHalf &&
    isWorseThanBefore(anneal.watch)
  )
}

/** Goes back to kept weights. The data order is not taken back: the batches since then were seen, and would be memorised the sooner. */
export function askedBack(turn: Turn, checkpoint: string, largeSteps: number | null = null): Turn {
  const asks = asked(turn, [
    {
      kind: 'restore',
      atStep: turn.state.step,
      checkpoint,
      rewindData: false,
      skipBatches: 0,
    },
  ])
  return updated(asks, {
    awaitedRestore: asks.state.actions.at(-1)?.id ?? null,
    awaitedLargeSteps: largeSteps,
  })
}

/** Signals as of the switch: the valley's points up to it, and nothing that was measured at a falling rate. */
function withoutAnneal(signals: SignalsState, { fromLargeSteps }: AnnealState): SignalsState {
  return {
    ...signals,
    valley: valleyUpTo(signals.valley, fromLargeSteps),
    gap: averagedGap.init({}),
    probeLosses: [],
    averagedLosses: [],
    averagedSteps: [],
  }
}
