// The switch: begins the anneal, whoever asks for it (the rule, the deadline, overfitting, a person, the guard),
// says why, and asks for the probe at its end. A job that has followed its plan into the anneal by itself is met
// there. What the plan then looks like is in planParts.ts.

import type { Evidence } from '../../../protocol/vocabulary.ts'
import {
  fallbackPatienceShare,
  openEndedAnnealShare,
  overfittingAnnealShare,
  switchRemainingMin,
  valleyProbesNeeded,
} from '../../constants.ts'
import { averagedGap } from '../../estimators/averagedGap.ts'
import { conservativeRate, isSteering, offers } from '../../options.ts'
import { evaluationDistance } from '../../plan/cadence.ts'
import { fallbackSwitchStep } from '../../plan/segments.ts'
import { evidenceOfSignals } from '../../record/evidence.ts'
import { formatPair, formatStep } from '../../record/sentences.ts'
import type { AnnealState, TunerState } from '../../state.ts'
import { type Judgement, judgementNow, switchRule, testOf } from '../large/judgement.ts'
import type { MarginalCost } from '../large/marginalCost.ts'
import { measuredAnnealSteps } from '../large/openSteering.ts'
import { asked, decided, inPhase, replanned, type Turn, updated, withdrawn } from '../settle.ts'
import { initialWatch, switchCheckpoint } from './annealWatch.ts'
import { lowestCheckpoint } from './lowest.ts'
import {
  evidenceOfTransfer,
  memorisingEnd,
  memorisingWords,
  ruleReason,
  transferNow,
  transferTest,
} from './transfer.ts'
import { askedBack } from './undo.ts'

type SwitchOptions = {
  readonly detail?: string
  readonly fromStep?: number
  /** The proposal that a person has approved, and what that says. */
  readonly approved?: {
    readonly number: number
    readonly words: string
    readonly evidence: readonly Evidence[]
  }
}

/** Starts the anneal: at the present step, or where the job has begun it by itself. */
export function switched(
  turn: Turn,
  reason: AnnealState['reason'],
  judgement: Judgement,
  { detail = '', fromStep = turn.state.step, approved }: SwitchOptions = {},
): Turn {
  const { state } = turn
  const anneal = annealOf(state, reason, judgement, fromStep)
  const begun = updated(inPhase(turn, 'anneal', fromStep), {
    anneal,
    warmup: null,
    largeLearningRate: state.largeLearningRate ?? anneal.fromRate,
    switchStep: fromStep,
    rewarm: null,
    override: null,
    // Gaps at the large rate say nothing of the regime at a lower one.
    signals: { ...state.signals, gap: averagedGap.init({}) },
  })
  const record = switchRecord(state, reason, judgement, { detail, fromStep })
  const { summary, evidence } = record
  return decided(
    replanned(withLastProbe(backBeforeRise(withSwitchCheckpoint(begun)))),
    approved === undefined
      ? record
      : {
          ...record,
          summary: `${approved.words} ${summary}`,
          evidence: [...evidence, ...approved.evidence],
          status: 'approved',
          answers: approved.number,
        },
  )
}

/** After overfitting the anneal starts from the weights before the rise: what was memorised since is not annealed away. */
function backBeforeRise(turn: Turn): Turn {
  const { anneal, lowest, mode, awaitedRestore } = turn.state
  const goesBack = anneal?.reason === 'overfitting' && lowest !== null && isSteering(mode)
  return goesBack && awaitedRestore === null ? askedBack(turn, lowestCheckpoint) : turn
}

/** The record of a switch, or of the wish for one: then `waits` says until when. */
export function switchRecord(
  state: TunerState,
  reason: AnnealState['reason'],
  judgement: Judgement,
  { detail, fromStep, waits = '' }: { detail: string; fromStep: number; waits?: string },
) {
  const { cost, reading, gain } = judgement
  const transfer = transferNow(state)
  const isOpenMemorising = reason === 'memorising' && state.budgetSteps === null && transfer !== undefined
  const said = reason === 'memorising' ? memorisingWords(transfer) : detail
  return {
    kind: 'switch',
    summary: switchSummary(annealOf(state, reason, judgement, fromStep), cost, said, waits),
    phaseBefore: state.phase,
    rule: switchRule,
    evidence: [...evidenceOfSignals(reading, gain), ...evidenceOfTransfer(transfer)],
    ...(isOpenMemorising ? { test: transferTest(transfer) } : testOf(state, cost)),
  } as const
}

function annealOf(
  state: TunerState,
  reason: AnnealState['reason'],
  judgement: Judgement,
  fromStep: number,
): AnnealState {
  const fromRate =
    state.override?.learningRate ??
    state.largeLearningRate ??
    state.learningRate ??
    conservativeRate(state.options)
  const { cost } = judgement
  return {
    fromStep,
    toStep: annealEnd(state, reason, judgement),
    fromRate,
    reason,
    expectedGain: expectedGain(judgement),
    scale: cost === undefined ? null : cost.annealing.value / 2,
    fromLargeSteps: state.largeSteps,
    isCheckpointed: false,
    undoChecks: 0,
    rest: null,
    // An anneal after overfitting starts above the best level, and is short as it is.
    watch: initialWatch(state.signals, reason !== 'overfitting'),
    compared: null,
  }
}

/** What a whole anneal should take off the loss: G and D, or what there is of them. */
function expectedGain({ gain, reading }: Judgement): number | null {
  const parts = [gain.value, reading.gap.value].filter((part) => part !== null && part > 0) as number[]
  if (parts.length === 0) return null
  // Powers before the product: losses may be as large as numbers go.
  return parts.reduce((product, part) => product * part ** (1 / parts.length), 1)
}

/** The weights of the switch, to come back to if it is undone late. */
function withSwitchCheckpoint(turn: Turn): Turn {
  const { anneal, mode, options, budgetSteps, awaitedRestore } = turn.state
  // A guard's restore is under way: those weights are kept already.
  if (anneal === null || !isSteering(mode) || budgetSteps === null || awaitedRestore !== null) return turn
  if (!offers(options, 'checkpoint', 'heldOutLoss')) return turn
  const asks = asked(turn, [{ kind: 'checkpoint', atStep: anneal.fromStep, checkpoint: switchCheckpoint }])
  return updated(asks, { anneal: { ...anneal, isCheckpointed: true } })
}

/** The probe at the end of the anneal, asked for at its present end. */
export function withLastProbe(turn: Turn): Turn {
  const { anneal, options } = turn.state
  if (anneal === null) return turn
  const kept = withdrawn(turn, ({ kind }) => kind === 'probe')
  return offers(options, 'heldOutLoss')
    ? asked(kept, [{ kind: 'probe', atStep: anneal.toStep, probe: 'valley' }])
    : kept
}

function annealEnd(state: TunerState, reason: AnnealState['reason'], judgement: Judgement): number {
  const { step, budgetSteps, lowest } = state
  const soon = (share: number, elapsed = step) => step + Math.max(2, Math.ceil(share * elapsed))
  if (reason === 'memorising') return Math.min(budgetSteps ?? Infinity, memorisingEnd(step))
  if (budgetSteps === null) {
    const steps = reason === 'overfitting' ? null : measuredAnnealSteps(state, judgement)
    return steps === null ? soon(openEndedAnnealShare) : step + steps
  }
  if (reason === 'overfitting') return Math.min(budgetSteps, soon(overfittingAnnealShare, lowest?.step))
  return Math.max(budgetSteps, step + 1)
}

function switchSummary(
  anneal: AnnealState,
  cost: MarginalCost | undefined,
  detail: string,
  waits: string,
): string {
  const span = `Annealing from step ${formatStep(anneal.fromStep)} to ${formatStep(anneal.toStep)}${waits}`
  const pair = cost === undefined ? '' : ` (${formatPair(cost.staying.value, cost.annealing.value)})`
  switch (anneal.reason) {
    case 'rule':
      return `${span}: staying still gains no more than annealing${pair}.`
    case 'tolerance':
      return `${span}: going on gains less than it is worth.`
    case 'deadline':
      return `${span}: a tenth of the budget is left, so the switch is forced${pair}.`
    case 'fallback':
      return `${span} by the fallback plan: ${detail}.`
    case 'overfitting':
      return `${span}: held-out loss of the averaged weights has stopped falling, so the rest of the budget would only memorise.`
    case 'memorising':
      return pair === ''
        ? `${span}: ${detail}.`
        : `${span}: staying still gains no more than annealing${pair}, and ${detail}.`
    case 'command':
      return `${span}: asked for by hand${detail === '' ? '' : ` (${detail})`}.`
    case 'guard':
      return `${span}: ${detail}.`
  }
}

/** A client that followed its plan into the anneal is met there: what the plan said is recorded. */
export function followedIntoAnneal(turn: Turn, fromStep: number): Turn {
  const judgement = judgementNow(turn.state)
  if (turn.state.mode === 'approve') return switched(turn, 'deadline', judgement, { fromStep })
  const { cost } = judgement
  if (cost?.satisfied && turn.state.rule.satisfied.length > 0)
    return switched(turn, ruleReason(turn.state, cost), judgement, { fromStep })
  if (isDeadline(turn.state, fromStep)) return switched(turn, 'deadline', judgement, { fromStep })
  const detail = lackingNow(turn.state, judgement)
  return switched(turn, 'fallback', judgement, { detail, fromStep })
}

/** The last tenth of the budget begins, and not because there was nothing to decide by. */
const isDeadline = ({ budgetSteps, outlook, isUndone }: TunerState, step: number): boolean =>
  budgetSteps !== null &&
  step >= Math.floor((1 - switchRemainingMin) * budgetSteps) &&
  (isUndone || outlook?.earliestStep != null)

/** What keeps the rule from judging. */
export function lackingNow({ options, signals }: TunerState, { reading }: Judgement): string {
  const { count } = reading.valley
  // Probes took time, and none was of the set that was offered.
  if (offers(options, 'heldOutLoss') && signals.probeLosses.length === 0 && signals.cost.probe !== null)
    return 'the job offers heldOutLoss, but none of its valley probes was of the set "held-out"'
  if (count >= valleyProbesNeeded) return 'the job followed its plan, and the evidence does not ask for more'
  if (offers(options, 'heldOutLoss') || offers(options, 'microBatchNorms'))
    return `only ${count} of the ${valleyProbesNeeded} probes that the rule needs were made`
  return 'held-out probes, or micro-batch gradient norms, would allow a measured switch'
}

/** Whether the fallback plan must act although the job could send probes: it has not sent them. */
export function isPatienceOver(state: TunerState): boolean {
  const { budgetSteps, step, phase, isUndone } = state
  if (budgetSteps === null || phase !== 'large' || isUndone) return false
  return step >= fallbackStep(state, budgetSteps) && state.signals.valley.count < valleyProbesNeeded
}

/**
 * Where it must act. With nothing to judge by but the loss, the plan has the anneal from its start on; where a person
 * must approve, its plan does not.
 */
export function fallbackStep(state: TunerState, budgetSteps: number): number {
  const isBlind = state.mode === 'approve' && evaluationDistance(state) === 0
  return isBlind ? fallbackSwitchStep(0, budgetSteps) : Math.ceil(fallbackPatienceShare * budgetSteps)
}
