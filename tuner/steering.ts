// Steering after the warm-up: at every valley probe the switch rule is asked, and its answer recorded (a hold
// with its reason, or the switch); the anneal is begun, and at its end the better of the last and the averaged
// weights is kept. Which numbers the rule weighs is in rules/marginalCost.ts, what the plan then looks like in
// planParts.ts.

import type { DecisionTest } from '../protocol/vocabulary.ts'
import {
  fallbackPatienceShare,
  openEndedAnnealShare,
  overfittingAnnealShare,
  overfittingDeviationsAtSwitch,
  switchHitsNeeded,
  switchHitsWindow,
  switchRemainingMax,
  switchRemainingMin,
  valleyProbesNeeded,
} from './constants.ts'
import { annealingGain } from './estimators/annealingGain.ts'
import { type Estimate, noEstimate } from './estimators/estimator.ts'
import { evidenceOfSignals } from './evidence.ts'
import { conservativeRate, effectiveRate, offers } from './options.ts'
import { type MarginalCost, marginalCost, marginalCostTest } from './rules/marginalCost.ts'
import { isOverfitting } from './rules/overfitting.ts'
import { formatNumber, formatPair, formatPercent, formatRate, formatStep } from './sentences.ts'
import { chartPoint, readSignals, type SignalsReading } from './signals/signals.ts'
import type { AnnealState, Outlook, TunerState } from './state.ts'
import { asked, charted, decided, inPhase, replanned, type Turn, updated, withdrawn } from './turn.ts'

export const switchRule = { id: 'marginal-cost', version: 1 } as const

/** G at the present rate. */
function gainOf(state: TunerState, reading: SignalsReading): Estimate {
  const { learningRate, momentum, options, signals } = state
  if (learningRate === null || !(learningRate > 0) || signals.batchSize === null) return noEstimate(0, 1)
  return annealingGain({
    effectiveLearningRate: effectiveRate(options, learningRate, momentum),
    batchSize: signals.batchSize,
    traceSigma: reading.traceSigma,
    noiseCurvature: reading.noiseCurvature,
  })
}

/** Asks the rule with all signals folded up to this step, and records what it says. */
export function steer(turn: Turn): Turn {
  const { state } = turn
  const reading = readSignals(state.signals)
  const gain = gainOf(state, reading)
  const cost = costOf(state, reading, gain)
  const charts = [
    ...chartPoint('annealingGain', state.step, gain),
    ...chartPoint('valleySlope', state.step, cost?.slope ?? null),
    ...chartPoint('stayingGain', state.step, cost?.staying ?? null),
  ]
  const outlook = outlookOf(reading, cost)
  const satisfied =
    cost === undefined
      ? state.rule.satisfied
      : [...state.rule.satisfied, cost.satisfied].slice(-switchHitsWindow)
  const next = updated(charted(turn, charts), { outlook, rule: { satisfied, evaluatedAtStep: state.step } })
  return judged(next, { reading, gain, cost })
}

function costOf(state: TunerState, reading: SignalsReading, gain: Estimate): MarginalCost | undefined {
  const { budgetSteps, step, largeSteps } = state
  const { fit } = reading.valley
  if (budgetSteps === null || fit === null || step >= budgetSteps) return undefined
  return marginalCost({ step, budgetSteps, largeSteps, valley: fit, gain, gap: reading.gap })
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

type Judgement = {
  readonly reading: SignalsReading
  readonly gain: Estimate
  readonly cost: MarginalCost | undefined
}

function judged(turn: Turn, judgement: Judgement): Turn {
  const { state } = turn
  const { budgetSteps, step, rule } = state
  const { cost } = judgement
  if (state.override !== null) return held(turn, judgement, byHandReason(state.override.untilStep))
  if (budgetSteps === null) return held(turn, judgement, noBudgetReason)
  const share = (budgetSteps - step) / budgetSteps
  if (share <= switchRemainingMin) return switched(turn, 'deadline', judgement)
  if (step < (1 - switchRemainingMax) * budgetSteps)
    return held(turn, judgement, 'the first tenth of the budget always stays large')
  if (offers(state.options, 'heldOutLoss') && isOverfitting(state.signals))
    return switched(turn, 'overfitting', judgement)
  const hits = rule.satisfied.filter(Boolean).length
  if (cost?.satisfied && hits >= switchHitsNeeded)
    return switched(turn, isRising(state, cost) ? 'overfitting' : 'rule', judgement)
  return held(turn, judgement, whyNotYet(state, judgement))
}

/**
 * A rising valley meets the rule before it is plain enough to switch by itself; then an anneal to the end of the
 * budget would memorise as well. The error of the fit does not tell: a valley that turns up is no power law.
 */
const isRising = ({ options, signals }: TunerState, { staying }: MarginalCost): boolean =>
  offers(options, 'heldOutLoss') && staying.value < 0 && isOverfitting(signals, overfittingDeviationsAtSwitch)

/** A person's rate always wins, until its last step or until it is handed back. */
const byHandReason = (untilStep: number) => `the rate is set by hand until step ${formatStep(untilStep)}`
const noBudgetReason = 'no budget is set, so the large step goes on until somebody asks for the switch'

function whyNotYet(state: TunerState, { reading, cost }: Judgement): string {
  if (reading.valley.count < valleyProbesNeeded)
    return `not enough evidence yet (${reading.valley.count} of ${valleyProbesNeeded} probes)`
  if (cost === undefined)
    return 'no gain of annealing is measured: neither averaged weights nor gradient noise show one'
  const hits = state.rule.satisfied.filter(Boolean).length
  if (cost.satisfied) return `annealing gains as much at ${hits} of ${switchHitsNeeded} probes needed`
  const chance =
    cost.probability === null
      ? ''
      : `${formatPercent(cost.probability)} chance that annealing already gains as much; `
  return `${chance}the two meet at about step ${formatStep(cost.earliestStep)}`
}

const hitsText = (state: TunerState): string =>
  `${state.rule.satisfied.filter(Boolean).length} of ${Math.min(switchHitsWindow, Math.max(1, state.rule.satisfied.length))}`

function testOf(state: TunerState, cost: MarginalCost | undefined): { test?: DecisionTest } {
  return cost === undefined ? {} : { test: marginalCostTest(cost, hitsText(state)) }
}

function held(turn: Turn, { reading, gain, cost }: Judgement, reason: string): Turn {
  const { state } = turn
  const rate = formatRate(state.largeLearningRate ?? state.learningRate ?? 0)
  const summary =
    cost === undefined
      ? `Holding the large step at ${rate}: ${reason}.`
      : cost.satisfied
        ? `Holding the large step at ${rate}: ${reason}.`
        : `Holding the large step at ${rate}: staying still gains more than annealing (${formatPair(cost.staying.value, cost.annealing.value)}).`
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

// --------------------------------------------------------------------------------------------- the switch

/** The present measurement, for switches that do not come from a probe. */
export function judgementNow(state: TunerState): Judgement {
  const reading = readSignals(state.signals)
  const gain = gainOf(state, reading)
  return { reading, gain, cost: costOf(state, reading, gain) }
}

/** Starts the anneal: at the present step, or where the job has begun it by itself. */
export function switched(
  turn: Turn,
  reason: AnnealState['reason'],
  judgement: Judgement,
  { detail = '', fromStep = turn.state.step }: { detail?: string; fromStep?: number } = {},
): Turn {
  const { state } = turn
  const { phase } = state
  const toStep = annealEnd(state, reason)
  const fromRate =
    state.override?.learningRate ??
    state.largeLearningRate ??
    state.learningRate ??
    conservativeRate(state.options)
  const { cost, reading, gain } = judgement
  const anneal: AnnealState = {
    fromStep,
    toStep,
    fromRate,
    reason,
    expectedGain: cost === undefined ? null : cost.annealing.value / 2,
  }
  const begun = updated(inPhase(turn, 'anneal', fromStep), {
    anneal,
    warmup: null,
    largeLearningRate: state.largeLearningRate ?? fromRate,
    switchStep: fromStep,
    rewarm: null,
    override: null,
  })
  return decided(replanned(withLastProbe(begun)), {
    kind: 'switch',
    summary: switchSummary(anneal, cost, detail),
    phaseBefore: phase,
    rule: switchRule,
    evidence: evidenceOfSignals(reading, gain),
    ...testOf(state, cost),
  })
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

function annealEnd(state: TunerState, reason: AnnealState['reason']): number {
  const { step, budgetSteps } = state
  const soon = (share: number) => step + Math.max(2, Math.ceil(share * step))
  if (budgetSteps === null) return soon(openEndedAnnealShare)
  return reason === 'overfitting'
    ? Math.min(budgetSteps, soon(overfittingAnnealShare))
    : Math.max(budgetSteps, step + 1)
}

function switchSummary(anneal: AnnealState, cost: MarginalCost | undefined, detail: string): string {
  const span = `Annealing from step ${formatStep(anneal.fromStep)} to ${formatStep(anneal.toStep)}`
  const pair = cost === undefined ? '' : ` (${formatPair(cost.staying.value, cost.annealing.value)})`
  switch (anneal.reason) {
    case 'rule':
      return `${span}: staying still gains no more than annealing${pair}.`
    case 'deadline':
      return `${span}: a tenth of the budget is left, so the switch is forced${pair}.`
    case 'fallback':
      return `${span} by the fallback plan: ${detail}.`
    case 'overfitting':
      return `${span}: held-out loss of the averaged weights has stopped falling, so the rest of the budget would only memorise.`
    case 'command':
      return `${span}: asked for by hand${detail === '' ? '' : ` (${detail})`}.`
    case 'guard':
      return `${span}: ${detail}.`
  }
}

/** A client that followed its plan into the anneal is met there: what the plan said is recorded. */
export function followedIntoAnneal(turn: Turn, fromStep: number): Turn {
  const judgement = judgementNow(turn.state)
  if (judgement.cost?.satisfied && turn.state.rule.satisfied.length > 0)
    return switched(turn, 'rule', judgement, { fromStep })
  const detail = lackingForRule(turn.state, judgement.reading.valley.count)
  return switched(turn, 'fallback', judgement, { detail, fromStep })
}

function lackingForRule({ options }: TunerState, count: number): string {
  if (count >= valleyProbesNeeded) return 'the job followed its plan, and the evidence does not ask for more'
  if (offers(options, 'heldOutLoss') || offers(options, 'microBatchNorms'))
    return `only ${count} of the ${valleyProbesNeeded} probes that the rule needs were made`
  return 'held-out probes, or micro-batch gradient norms, would allow a measured switch'
}

/** Whether the fallback plan must act although the job could send probes: it has not sent them. */
export function isPatienceOver(state: TunerState): boolean {
  const { budgetSteps, step, phase, isUndone } = state
  if (budgetSteps === null || phase !== 'large' || isUndone) return false
  return step >= fallbackPatienceShare * budgetSteps && state.signals.valley.count < valleyProbesNeeded
}

// ---------------------------------------------------------------------------------------------- the finish

export type Keep = 'last' | 'averaged' | { readonly checkpoint: string }

/** Ends the run. `scores` compares the candidates on the held-out set, where there is one. */
export function finished(turn: Turn, options: { keep: Keep; summary: string }): Turn {
  const { state, observation } = turn
  // Advice ends by itself: only a job that is steered, or a person, is asked to stop.
  const isAsked = state.mode === 'auto' || observation.kind === 'command'
  const ended = updated(
    inPhase(
      withdrawn(turn, () => true),
      'done',
    ),
    {
      anneal: null,
      warmup: null,
      override: null,
      rewarm: null,
      lifecycle: 'finished',
    },
  )
  const asks = isAsked ? asked(ended, [{ kind: 'finish', atStep: state.step, keep: options.keep }]) : ended
  return decided(replanned(asks), {
    kind: 'finish',
    summary: options.summary,
    phaseBefore: state.phase,
    rule: { id: 'finish', version: 1 },
  })
}

/** The last probe: the better of the last weights and their average over the last block is kept. */
export function finishedAtProbe(turn: Turn, scores: { last: number; averaged: number | null }): Turn {
  const { last, averaged } = scores
  // Not `averaged < last`: the last weights may have no loss at all.
  const isAveragedBetter = averaged !== null && !(last <= averaged)
  const loss = isAveragedBetter ? averaged : last
  const kept = isAveragedBetter ? 'averaged weights are kept' : 'the last weights are kept'
  const summary = `Finished at step ${formatStep(turn.state.step)}: held-out loss ${formatNumber(loss)}; ${kept}.`
  return finished(turn, { keep: isAveragedBetter ? 'averaged' : 'last', summary })
}
