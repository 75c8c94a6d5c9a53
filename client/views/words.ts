// The one table of words: what the closed lists and the keys of records are called on the page. Everything that the
// page says of a decision beyond the server's own sentences comes from here, by key; a key that a newer server has
// invented is shown with its hyphens as spaces.

import { formatNumber, formatRate, formatStep } from '../../protocol/numbers.ts'
import type {
  Alternative,
  Capability,
  Decision,
  DecisionKind,
  DecisionTest,
  Evidence,
  Mode,
  Phase,
  RunState,
  RunSummary,
} from '../../protocol/vocabulary.ts'

type Words = Readonly<Record<string, string>>

/** A key as words, where no table knows it. */
const spaced = (key: string): string => key.replaceAll('-', ' ')

export const keyWords = (key: string, table: Words = {}): string =>
  Object.hasOwn(table, key) ? table[key]! : spaced(key)

export const kindTitle: Readonly<Record<DecisionKind, string>> = {
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
  transition: 'Regime changed',
  branch: 'Copy annealed',
}

/** What a decision that nobody has carried out wants. */
const wishes: Partial<Readonly<Record<DecisionKind, string>>> = {
  raise: 'raise the rate',
  lower: 'lower the rate',
  switch: 'anneal',
  undo: 'undo the switch',
  finish: 'finish',
}

export const phaseTitle: Readonly<Record<Phase, string>> = {
  warmup: 'Warm-up',
  large: 'Large step',
  anneal: 'Anneal',
  done: 'Done',
}

export const stateTitle: Readonly<Record<RunState, string>> = {
  running: 'Running',
  paused: 'Paused',
  waiting: 'Waiting for you',
  stale: 'Stale',
  diverged: 'Diverged',
  finished: 'Finished',
}

export const modeTitle: Readonly<Record<Mode, string>> = {
  advisory: 'Advisory',
  approve: 'Approve',
  auto: 'Auto',
  off: 'Off',
}

export const formatTitle = {
  pytorch: 'PyTorch',
  keras: 'Keras',
  optax: 'optax',
  transformers: 'Transformers',
  json: 'JSON',
  csv: 'CSV',
} as const

export const capabilityTitle: Readonly<Record<Capability, string>> = {
  checkpoint: 'Checkpoints',
  rewind: 'Data that can be taken back',
  heldOutLoss: 'Held-out loss',
  averagedWeights: 'Averaged weights',
  microBatchNorms: 'Micro-batch gradient norms',
  lineProbe: 'Line probes',
  momentum: 'Momentum of the plan',
  branch: 'Annealed copies',
}

const signalTitle: Words = {
  averagedLoss: 'Averaged-weights loss',
  averagedGap: 'Gap, removable by annealing',
  annealingGain: 'Annealing gain, predicted',
  noiseScale: 'Gradient noise scale',
  traceSigma: 'Gradient variance',
  preconditionedTraceSigma: 'Gradient variance, preconditioned',
  noiseCurvature: 'Curvature along the noise',
  criticalLearningRate: 'Critical rate',
  rateRatio: 'Rate ÷ critical rate',
  memorising: 'Held-out fall ÷ training fall',
  arm: 'Loss in the race',
  stepsWaited: 'Steps waited',
  waitingCost: 'What waiting cost',
}

const sourceWords: Words = {
  'valley-probe': 'valley probes',
  'noise-and-curvature': 'gradient noise and curvature',
  'micro-batch-norms': 'micro-batch gradient norms',
  'preconditioned-norms': 'preconditioned micro-batch norms',
  'line-probe': 'line probes',
  'race-diverged': 'race, diverged there',
  'race-unfinished': 'race, not at its end',
  approval: 'waiting for approval',
  'fitted-valley': 'fitted curve of averaged weights',
  'memorising-window': 'valley probes and training loss',
}

/** Why the regime is unknown. */
const regimeReasons: Words = {
  'too-few-probes': 'too few probes yet',
  'no-gain-measured': 'no gain of annealing is measured',
  'no-probes': 'the job reports no probes',
  undecided: 'not told apart yet',
}

export const regimeReasonWords = (reason: string): string => keyWords(reason, regimeReasons)

type TestWords = {
  /** What each side is. */
  readonly left: string
  readonly right: string
  /** Whether the sides are the two courses, staying still and annealing, and have their colours. */
  readonly areCourses?: true
}
const testTable: Readonly<Record<string, TestWords>> = {
  'marginal-cost': { left: 'Staying still gains', right: 'Annealing gains', areCourses: true },
  'diminishing-returns': {
    left: 'As many steps again would take off',
    right: 'What they must, to be worth it',
  },
  memorising: { left: 'Held-out fall ÷ training fall', right: 'Its bound' },
  rise: { left: 'Held-out loss of averaged weights', right: 'Its best level' },
  comparison: { left: 'Loss of the last weights less that of the kept ones', right: 'Two standard errors' },
  'longer-budget': { left: 'Staying still would gain', right: 'Needed to go back' },
  regime: { left: 'Share of the loss that annealing would take off', right: 'Share that parts the regimes' },
  race: { left: 'Loss at this rate', right: 'Loss at the rate before' },
}
export const testWords = (key: string): TestWords =>
  Object.hasOwn(testTable, key)
    ? testTable[key]!
    : { left: `${spaced(key)}: first`, right: `${spaced(key)}: second` }

const relationWords: Readonly<Record<DecisionTest['relation'], string>> = {
  '<=': 'at most',
  '>=': 'at least',
  '<': 'below',
  '>': 'above',
}

/** "Rule: the first at most the second. Met at 2 of the last 3 probes." */
export function ruleWords({ relation, satisfied, hits: { met, of } }: DecisionTest): string {
  const once = satisfied ? 'Met' : 'Not met'
  const often = `Met at ${formatStep(met)} of the last ${formatStep(of)} probes`
  return `Rule: the first ${relationWords[relation]} the second. ${of > 1 ? often : once}.`
}

/** The same to within this share is no change of a rate. */
const sameRateShare = 1e-3

/** A raise or a lowering by what the rate does: an anneal that is cut short from earlier weights begins at a higher rate. */
export function directedKind({ kind, reason }: Pick<Decision, 'kind' | 'reason'>): DecisionKind {
  if (kind !== 'raise' && kind !== 'lower') return kind
  const { rate, rateBefore, reference } = reason.values
  const before = rateBefore ?? reference
  if (rate == null || before == null || Math.abs(rate - before) <= sameRateShare * before) return kind
  return rate > before ? 'raise' : 'lower'
}

/** The step whose weights the run has gone back to; null = it has not. */
export const restoredStep = ({ kind, reason }: Pick<Decision, 'kind' | 'reason'>): number | null =>
  kind === 'finish' ? null : (reason.values.keptStep ?? null)

/** Whether the decision is advice alone. The end of a run comes whether it was advised or not. */
const isAdvice = ({ kind, status, phase }: Pick<Decision, 'kind' | 'status' | 'phase'>): boolean =>
  status === 'advisory' && kind in wishes && phase.to !== 'done'

type Titled = Pick<Decision, 'kind' | 'status' | 'phase'>
type Told = Titled & Pick<Decision, 'reason'>

/** Whether the decision was a question or advice, or ended a question without a change. */
export const isUnapplied = (decision: Titled): boolean =>
  isAdvice(decision) ||
  (['awaiting-approval', 'rejected', 'expired', 'superseded'] as const).some(
    (status) => status === decision.status,
  )

export function decisionWords(decision: Told): string {
  const { status, reason } = decision
  const kind = directedKind(decision)
  const wish = wishes[kind] ?? spaced(kind)
  if (isAdvice(decision)) return `Advised to ${wish}`
  if (status === 'awaiting-approval') return `Asked to ${wish}`
  if (status === 'rejected') return `Refused to ${wish}`
  if (status === 'expired' || status === 'superseded') return `Question ${status}`
  return reason.key === 'cut-rise' ? 'Anneal cut short' : kindTitle[kind]
}

/** "Hold at step 3,120". */
export const decisionTitle = (decision: Told & Pick<Decision, 'step'>): string =>
  `${decisionWords(decision)} at step ${formatStep(decision.step)}`

/** The later decision that ended a question; undefined = it was none, or still waits. */
export const fateOf = (
  { number, status }: Pick<Decision, 'number' | 'status'>,
  decisions: readonly Decision[],
): Decision | undefined =>
  status === 'awaiting-approval' ? decisions.find(({ answers }) => answers === number) : undefined

/** "It expired at step 560:" */
export const fateWords = ({ status, step }: Pick<Decision, 'status' | 'step'>): string =>
  `It ${status === 'expired' ? '' : 'was '}${status} at step ${formatStep(step)}:`

/** What a piece of evidence is, where it comes from, and how its value is written where it has no error. */
export function evidenceWords({ signal, source, learningRate }: Evidence) {
  const title = keyWords(signal, signalTitle)
  return {
    name: learningRate === undefined ? title : `${title} at ${formatRate(learningRate)}`,
    source: keyWords(source, sourceWords),
    format: signal === 'criticalLearningRate' ? formatRate : formatNumber,
  }
}

/** The alternative that the plan in force follows: to anneal at a step ahead; undefined where there is none. */
export const plannedAlternative = (alternatives: readonly Alternative[]): Alternative | undefined =>
  alternatives.find(({ kind }) => kind === 'at')

export function alternativeWords({ kind, switchStep }: Alternative): string {
  if (kind === 'now') return 'anneal now'
  if (kind === 'never') return 'never anneal'
  if (kind === 'merge') return 'average the weights instead'
  return switchStep === null ? 'anneal later' : `anneal at step ${formatStep(switchStep)}`
}

/** What lies ahead of the present step: a plan, or for a job that is only advised, advice. */
export const aheadWords = ({ mode }: Pick<RunSummary, 'mode'>): string =>
  mode === 'advisory' ? 'advised' : 'planned'
