// Closed lists of the vocabulary in words that people read: states, kinds of decision, phases, signals.

import { evaluatePlan } from '../../protocol/plan.ts'
import type {
  Alternative,
  Decision,
  DecisionKind,
  DecisionStatus,
  Phase,
  RunState,
  RunSummary,
} from '../../protocol/vocabulary.ts'
import { formatCount, formatDuration, formatNumber } from './format.ts'

const kindTitle: Readonly<Record<DecisionKind, string>> = {
  start: 'Started',
  hold: 'Hold',
  raise: 'Raised',
  lower: 'Lowered',
  switch: 'Switched to annealing',
  undo: 'Switch undone',
  guard: 'Guard',
  override: 'Set by hand',
  'hand-back': 'Handed back',
  finish: 'Finished',
  drift: 'Rate not followed',
}

export const phaseTitle: Readonly<Record<Phase, string>> = {
  warmup: 'Warm-up',
  large: 'Large step',
  anneal: 'Anneal',
  done: 'Done',
}

const stateTitle: Readonly<Record<RunState, string>> = {
  running: 'Running',
  paused: 'Paused',
  waiting: 'Waiting for you',
  stale: 'Stale',
  diverged: 'Diverged',
  finished: 'Finished',
}

const signalTitle: Readonly<Record<string, string>> = {
  loss: 'Loss',
  lossSmoothed: 'Loss, smoothed',
  probeLoss: 'Held-out loss',
  probeAccuracy: 'Held-out accuracy',
  averagedLoss: 'Averaged-weights loss',
  averagedAccuracy: 'Averaged-weights accuracy',
  averagedGap: 'Gap, removable by annealing',
  valleySlope: 'Slope of averaged-weights loss',
  annealingGain: 'Annealing gain, predicted',
  stayingGain: 'Staying still gains',
  noiseScale: 'Gradient noise scale',
  traceSigma: 'Gradient variance',
  preconditionedTraceSigma: 'Gradient variance, preconditioned',
  curvature: 'Curvature along the step',
  noiseCurvature: 'Curvature along the noise',
  criticalLearningRate: 'Critical rate',
  rateRatio: 'Rate ÷ critical rate',
  regimeIndex: 'Regime index',
  transfer: 'Held-out fall ÷ training fall',
  signalShare: 'Time spent on signals',
  probeShare: 'Time spent on probes',
}

/** A signal's or test side's name in words: known names have a title, others are spaced out. */
export function signalWords(name: string): string {
  const known = signalTitle[name]
  if (known !== undefined) return known
  const spaced = name.replace(/([a-z])([A-Z])/g, '$1 $2')
  const lower = spaced === name ? name : spaced.toLowerCase()
  return lower.charAt(0).toUpperCase() + lower.slice(1)
}

/** Titles of a question and of its end, where nothing was changed. */
const statusTitle: Partial<Readonly<Record<DecisionStatus, string>>> = {
  'awaiting-approval': 'Asked to anneal',
  rejected: 'Refused to anneal',
  expired: 'Question expired',
  superseded: 'Question superseded',
}

/** Whether the decision was only a question, or ended one without a change. */
export const isUnapplied = ({ status }: Pick<Decision, 'status'>): boolean => status in statusTitle

export const decisionWords = ({ kind, status }: Pick<Decision, 'kind' | 'status'>): string =>
  statusTitle[status] ?? kindTitle[kind]

/** "Hold at step 3,120". */
export function decisionTitle(decision: Pick<Decision, 'kind' | 'step' | 'status'>): string {
  return `${decisionWords(decision)} at step ${formatCount(decision.step)}`
}

/** The word on a run's state chip; a stale run says since when. */
export function stateWords(run: Pick<RunSummary, 'state' | 'lastSeenAt'>, nowMs: number): string {
  if (run.state !== 'stale') return stateTitle[run.state]
  const seconds = (nowMs - Date.parse(run.lastSeenAt)) / 1000
  return Number.isFinite(seconds) ? `Stale, ${formatDuration(seconds)}` : 'Stale'
}

/** What the state means for the job, where the headline (made at the last report) cannot say it. */
export function stateNote(run: RunSummary, nowMs: number): string | null {
  if (run.state === 'paused') return 'The job waits until somebody resumes it.'
  if (run.state !== 'stale') return null
  const silent = formatDuration((nowMs - Date.parse(run.lastSeenAt)) / 1000)
  return `No telemetry for ${silent}. The job follows its last plan: ${planWords(run)}.`
}

function planWords(run: RunSummary): string {
  const rate =
    run.plan.segments.length > 0 ? formatNumber(evaluatePlan(run.plan, run.step).learningRate) : 'none'
  const anneal = run.plan.segments.find((segment) => segment.phase === 'anneal' && segment.toStep > run.step)
  if (anneal === undefined) return rate
  return anneal.fromStep > run.step
    ? `${rate}, annealing from step ${formatCount(anneal.fromStep)}`
    : `annealing from ${rate}, to end at step ${formatCount(anneal.toStep)}`
}

/** The alternative that the plan in force follows: to anneal at a step ahead; undefined where there is none. */
export function plannedAlternative(alternatives: readonly Alternative[]): Alternative | undefined {
  return alternatives.find(({ kind }) => kind === 'at')
}

/** What the two sides of a decision's test are, by its key. */
const sideTitles: Readonly<Record<string, readonly [string, string]>> = {
  'marginal-cost': ['Staying still gains', 'Annealing gains'],
  'longer-budget': ['Staying still gains', 'Annealing gains'],
  sequential: ['Evidence against going on', 'Evidence needed'],
  memorising: ['Held-out fall ÷ training fall', 'Its bound'],
  rise: ['Held-out loss of averaged weights', 'Its best level'],
  comparison: ['Loss of the last weights less that of kept ones', 'Two standard errors'],
}

export const testWords = (key: string): readonly [string, string] => sideTitles[key] ?? ['Left', 'Right']

export function alternativeWords({ kind, switchStep }: Alternative): string {
  if (kind === 'now') return 'anneal now'
  if (kind === 'never') return 'never anneal'
  if (kind === 'merge') return 'average the weights instead'
  return switchStep === null ? 'anneal later' : `anneal at step ${formatCount(switchStep)}`
}
