// Steering after the warm-up: at every valley probe the switch rule is asked, and its answer recorded: a hold
// with its reason, or the switch.

import {
  overfittingDeviationsAtSwitch,
  switchHitsNeeded,
  switchHitsWindow,
  switchRemainingMax,
  switchRemainingMin,
  switchRuleShareMin,
  valleyProbesNeeded,
} from '../../constants.ts'
import { offers } from '../../options.ts'
import { proposed, unaskedExpired, whyNotAsked } from '../../person/approval.ts'
import { evidenceOfSignals } from '../../record/evidence.ts'
import { formatPair, formatPercent, formatRate, formatStep } from '../../record/sentences.ts'
import { chartPoint, type SignalsReading } from '../../signals/signals.ts'
import type { AnnealState, Outlook, TunerState } from '../../state.ts'
import { isOverfitting } from '../anneal/overfitting.ts'
import { switched } from '../anneal/switching.ts'
import { ruleReason, transferNow } from '../anneal/transfer.ts'
import { charted, decided, replanned, type Turn, updated } from '../settle.ts'
import { type Judgement, judgementNow, switchRule, testOf } from './judgement.ts'
import type { MarginalCost } from './marginalCost.ts'
import { foldedSequential, whyOpenHold } from './openSteering.ts'
import { readSequentialTest } from './sequentialTest.ts'

/** Asks the rule with all signals folded up to this step, and records what it says. `known`: their reading. */
export function steer(turn: Turn, known?: SignalsReading): Turn {
  const { state } = turn
  const judgement = judgementNow(state, known)
  const { reading, gain, cost } = judgement
  const charts = [
    ...chartPoint('annealingGain', state.step, gain),
    ...chartPoint('valleySlope', state.step, cost?.slope ?? null),
    ...chartPoint('stayingGain', state.step, cost?.staying ?? null),
  ]
  const outlook = outlookOf(reading, cost)
  const next = updated(charted(turn, charts), {
    outlook,
    rule: { satisfied: verdicts(state, cost), evaluatedAtStep: state.step },
    sequential: foldedSequential(state, judgement),
  })
  return judged(next, judgement)
}

/** The last three verdicts: of the rule, and without a budget of the sign that the run memorises. */
function verdicts(state: TunerState, cost: MarginalCost | undefined): readonly boolean[] {
  const { budgetSteps, override, rule } = state
  const isOpen = budgetSteps === null && override === null
  const verdict = isOpen ? transferNow(state)?.isMemorising === true : cost?.satisfied
  return verdict === undefined ? rule.satisfied : [...rule.satisfied, verdict].slice(-switchHitsWindow)
}

function outlookOf(reading: SignalsReading, cost: MarginalCost | undefined): Outlook {
  return {
    stayingGain: cost?.staying.value ?? null,
    annealingGain: cost?.annealing.value ?? null,
    earliestStep: cost?.earliestStep ?? null,
    probeCount: reading.valley.count,
    probesNeeded: valleyProbesNeeded,
    probability: cost?.probability ?? null,
    alternatives: cost?.alternatives ?? [],
  }
}

function judged(turn: Turn, judgement: Judgement): Turn {
  const { state } = turn
  const { budgetSteps, step, rule } = state
  const { cost } = judgement
  if (state.override !== null) return held(turn, judgement, byHandReason(state.override.untilStep))
  if (budgetSteps === null) return judgedOpen(turn, judgement)
  const share = (budgetSteps - step) / budgetSteps
  if (share <= switchRemainingMin) return switched(turn, 'deadline', judgement)
  if (step < (1 - switchRemainingMax) * budgetSteps)
    return held(turn, judgement, 'the first tenth of the budget always stays large')
  if (offers(state.options, 'heldOutLoss') && isOverfitting(state.signals))
    return wanted(turn, 'overfitting', judgement)
  const hits = rule.satisfied.filter(Boolean).length
  if (cost?.satisfied && hits >= switchHitsNeeded && step >= switchRuleShareMin * budgetSteps)
    return wanted(turn, ruleReason(state, cost), judgement)
  // One probe against it does not take back what two of three still say.
  const kept = hits >= switchHitsNeeded ? turn : unaskedExpired(turn)
  return held(kept, judgement, whyNotYet(state, judgement))
}

/** The switch, or where a person must approve it the question. */
function wanted(turn: Turn, reason: AnnealState['reason'], judgement: Judgement): Turn {
  if (turn.state.mode !== 'approve') return switched(turn, reason, judgement)
  const why = whyNotAsked(turn.state, reason)
  return why === null ? proposed(turn, reason, judgement) : held(turn, judgement, why)
}

/**
 * Without a budget a run goes on until a step is not worth it any more, or until what it learns no longer reaches
 * held-out data, at three probes in a row. A rise alone is no reason here: looked at for ever, chance makes one some day. It
 * only says that the anneal must be short.
 */
function judgedOpen(turn: Turn, judgement: Judgement): Turn {
  const { state } = turn
  const { satisfied } = state.rule
  if (satisfied.length === switchHitsWindow && satisfied.every(Boolean))
    return wanted(turn, 'memorising', judgement)
  if (!readSequentialTest(state.sequential).satisfied)
    return held(unaskedExpired(turn), judgement, whyOpenHold(state, judgement))
  const rises =
    offers(state.options, 'heldOutLoss') && isOverfitting(state.signals, overfittingDeviationsAtSwitch)
  return wanted(turn, rises ? 'overfitting' : 'tolerance', judgement)
}

/** A person's rate always wins, until its last step or until it is handed back. */
const byHandReason = (untilStep: number) => `the rate is set by hand until step ${formatStep(untilStep)}`

function whyNotYet(state: TunerState, { reading, cost }: Judgement): string {
  if (reading.valley.count < valleyProbesNeeded)
    return `not enough evidence yet (${reading.valley.count} of ${valleyProbesNeeded} probes)`
  if (cost === undefined)
    return 'no gain of annealing is measured: neither averaged weights nor gradient noise show one'
  const hits = state.rule.satisfied.filter(Boolean).length
  if (cost.satisfied && hits >= switchHitsNeeded)
    return 'annealing gains as much, but before a quarter of the budget the slope is not known well enough'
  if (cost.satisfied) return `annealing gains as much at ${hits} of ${switchHitsNeeded} probes needed`
  const chance =
    cost.probability === null
      ? ''
      : `${formatPercent(cost.probability)} chance that annealing already gains as much; `
  return `${chance}the two meet at about step ${formatStep(cost.earliestStep)}`
}

function held(turn: Turn, { reading, gain, cost }: Judgement, reason: string): Turn {
  const { state } = turn
  const rate = formatRate(state.largeLearningRate ?? state.learningRate ?? 0)
  const start =
    state.override === null
      ? `Holding the large step at ${rate}`
      : `Would hold ${rate} if it were not set by hand`
  const summary =
    cost === undefined || cost.satisfied
      ? `${start}: ${reason}.`
      : `${start}: staying still gains more than annealing (${formatPair(cost.staying.value, cost.annealing.value)}).`
  return decided(replanned(turn), {
    kind: 'hold',
    summary,
    phaseBefore: 'large',
    rule: switchRule,
    whyNotYet: `${reason[0]!.toUpperCase()}${reason.slice(1)}.`,
    evidence: evidenceOfSignals(reading, gain),
    ...testOf(state, cost),
  })
}
