// The scenes of a run's page: a sample run, what of its summary differs, the address it is seen at, and what is pressed once
// it stands. Everything that is drawn is drawn by the page's own functions.

import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { asked, everyAnswer, guarded, manyByHand } from './otherDecisions.ts'
import { type SyntheticOptions, type SyntheticRun, syntheticRun } from './syntheticRun.ts'
import { searchedSoFar, withoutBudget } from './syntheticScenes.ts'

/** A bar at the top: no connection, one that is back, or an answer that is not understood. */
export type Bar = 'lost' | 'back' | 'trouble'

export type RunScene = {
  readonly bar?: Bar

  readonly options: SyntheticOptions
  /** What does not follow from the options. */
  readonly change?: Partial<RunSummary>
  readonly decide?: (decisions: readonly Decision[]) => readonly Decision[]
  /** Of the address; what is in the gallery's own comes on top. */
  readonly query?: string
  /** What is pressed, one after the other, as soon as it is there. */
  readonly press?: readonly string[]
  /** The page before anything is known, or after the run was deleted. */
  readonly known?: 'nothing' | 'removed' | 'absent'
}

const base: SyntheticOptions = { id: 'fashion-cnn-3', step: 3121, budgetSteps: 6000 }
const finished: SyntheticOptions = { ...base, step: 6000, state: 'finished' }
const switchStep = 3960

/** The number that the switch of the sample run has. */
const switchNumber = syntheticRun({ ...base, step: 4900 }).decisions.find(
  ({ kind }) => kind === 'switch',
)!.number

const inAnneal: Partial<RunSummary> = {
  headline: 'Annealing since step 3,960, rate 0.054: 0.31 of the expected gain is in. Ends at step 6,000.',
}
const form = (name: string) => `panel=control&form=${name}`
const branches: RunSummary['branches'] = [
  {
    number: 9,
    fromStep: 1_800,
    steps: 300,
    state: 'done',
    loss: 0.301,
    promised: { value: 0.306, standardError: 0.004, low: 0.294, high: 0.311 },
  },
  { number: 12, fromStep: 2_400, steps: 400, state: 'failed', loss: null, promised: null },
  { number: 15, fromStep: 3_100, steps: 500, state: 'asked', loss: null, promised: null },
]
const canBranch = { ...syntheticRun(base).run.options, capabilities: ['branch', 'heldOutLoss'] as const }

export const runScenes: Readonly<Record<string, RunScene>> = {
  run: { options: base },
  warmup: {
    options: { ...base, step: 300 },
    change: { headline: 'Warming up at 0.0031, step 300 of 6,000: looking for the largest rate that holds.' },
  },
  anneal: { options: { ...base, step: 4900 }, change: inAnneal },
  finished: {
    options: finished,
    change: {
      headline: 'Final held-out loss 0.281, as promised: 0.284, 0.273 to 0.287. Switched at step 3,960.',
    },
  },
  stale: {
    options: { ...base, state: 'stale', gap: [1700, 2000], nonFinite: [900, 901, 902] },
  },
  paused: { options: { ...base, state: 'paused' } },
  waiting: {
    options: { ...base, step: 3_990, mode: 'approve', state: 'waiting' },
    decide: asked,
    change: {
      awaitingDecision: switchNumber,
      phase: 'large',
      switchStep: null,
      phases: [
        { phase: 'warmup', fromStep: 0, toStep: 528 },
        { phase: 'large', fromStep: 528, toStep: null },
      ],
      headline: `Large step at 0.1, step 3,990 of 6,000: decision ${switchNumber}, to start annealing, awaits approval.`,
    },
  },
  diverging: {
    options: { ...base, nonFinite: Array.from({ length: 60 }, (_, i) => 3_061 + i) },
  },
  diverged: {
    options: { ...base, step: 2_860, state: 'diverged' },
    decide: guarded,
    change: {
      phase: 'done',
      headline: 'Stopped at step 2,860: the loss diverged a fourth time. Last good checkpoint: step 2,780.',
      outcome: { firstLoss: 2.31, keptLoss: 0.31, isBetter: true, isHeldOut: true },
    },
  },
  overridden: { options: { ...base, overridden: true } },
  drifting: { options: { ...base, driftsFrom: 2860 } },
  advised: {
    options: { ...base, step: 4300, mode: 'advisory' },
    change: {
      headline:
        "Advice only, step 4,300 of 6,000: anneal, advised since step 3,960; whether it is done is the job's own affair. The job applies 0.1.",
      phase: 'large',
      phases: [
        { phase: 'warmup', fromStep: 0, toStep: 528 },
        { phase: 'large', fromStep: 528, toStep: null },
      ],
      switchStep: null,
      advice: { step: switchStep, kind: 'switch' },
    },
  },
  'no-better': {
    options: finished,
    change: {
      headline: 'Final held-out loss 2.33. It is no better than at its start. Never switched.',
      outcome: { firstLoss: 2.31, keptLoss: 2.33, isBetter: false, isHeldOut: true },
      loss: 2.33,
      switchStep: null,
      phases: [
        { phase: 'warmup', fromStep: 0, toStep: 528 },
        { phase: 'large', fromStep: 528, toStep: 6000 },
      ],
    },
  },
  'bad-samples': {
    options: { ...base, nonFinite: [900, 901, 902] },
    change: {
      badSamples: { nonFinite: 3, nonFiniteNorms: 1, skipped: 12, outOfOrder: 2, repeated: 140, farAhead: 1 },
    },
  },
  'loss-alone': { options: { ...base, isLossAlone: true } },
  searching: {
    options: { ...base, step: 700 },
    decide: (decisions) => decisions.slice(0, 1),
    change: {
      headline: 'Looking for the rate, step 700 of 6,000: the third one, 0.3, runs.',
      phase: 'warmup',
      phases: [{ phase: 'warmup', fromStep: 0, toStep: null }],
      largeLearningRate: null,
      race: searchedSoFar,
    },
  },
  'no-budget': {
    options: base,
    decide: withoutBudget,
    change: {
      budgetSteps: null,
      headline:
        'Large step at 0.1, step 3,121: as many steps again would take off 0.0065, and 0.0057 are worth it.',
    },
  },
  answers: { options: { ...base, step: 4300, mode: 'approve' }, decide: everyAnswer, change: inAnneal },
  'older-gains': { options: { ...base, hasNoErrors: true } },
  metrics: {
    options: { ...base, metrics: ['accuracy', 'perplexity', 'top5_accuracy', 'seconds'] },
    query: 'panels=metrics.accuracy,metrics.perplexity',
    press: ['.chart-bar .bar-button'],
  },
  'many-decisions': { options: base, decide: manyByHand },
  long: {
    options: {
      ...base,
      id: 'resnet-long-1',
      step: 720_000,
      budgetSteps: 1_000_000,
      gap: [270_000, 330_000],
    },
    change: {
      headline: 'Annealing since step 660,000, rate 0.082. Ends at step 1,000,000.',
    },
  },
  'first-reports': {
    options: { ...base, step: 3 },
    change: { headline: 'Warming up, step 3 of 6,000: looking for the largest rate that holds.', spark: [] },
  },
  unheard: {
    options: { ...base, step: 0 },
    decide: (decisions) => decisions.slice(0, 1),
    change: { headline: 'Large step at 0.1, step 0 of 6,000.', loss: null, learningRate: null, spark: [] },
  },
  disconnected: { options: base, bar: 'lost' },
  'connected-again': { options: base, bar: 'back' },
  'not-understood': { options: base, bar: 'trouble' },
  loading: { options: base, known: 'nothing' },
  removed: { options: base, known: 'removed' },
  absent: { options: base, known: 'absent' },

  // What is seen on request.
  zoomed: { options: base, query: 'from=1200&to=1700' },
  'loss-log': { options: { ...base, step: 4900 }, change: inAnneal, query: 'y.loss=log' },
  closed: { options: base, query: 'closed=rate,gains' },
  table: { options: base, press: ['[aria-label="Loss as a table"]'] },
  'save-menu': { options: base, press: ['[aria-label="Save Loss"]'] },
  menu: { options: base, press: ['[aria-label="More actions"]'] },
  missing: { options: { ...base, isLossAlone: true }, press: ['.folded summary'] },
  keys: { options: base, press: ['[aria-label="Keyboard shortcuts"]'] },
  evidence: {
    options: { ...base, step: 4900 },
    change: inAnneal,
    query: `decision=${switchNumber}`,
    press: ['details.evidence summary'],
  },
  race: { options: base, query: 'decision=2', press: ['details.evidence summary'] },
  'looking-back': { options: base, query: 'step=1500' },
  log: { options: base, query: 'panel=log' },
  'log-of-kind': { options: base, query: 'panel=log&kind=guard' },
  schedule: { options: base, query: 'panel=schedule' },
  'what-if': { options: base, query: 'panel=what-if' },
  'what-if-ghost': { options: base, query: 'panel=what-if&set.budget=4500' },
  override: { options: base, query: form('override') },
  'hand-back': { options: { ...base, overridden: true }, query: form('hand-back') },
  'switch-now': { options: base, query: form('switch-now') },
  'undo-switch': { options: { ...base, step: 4_300 }, change: inAnneal, query: form('undo-switch') },
  branch: {
    options: base,
    change: { branches, options: { ...canBranch, capabilities: [...canBranch.capabilities] } },
    query: form('branch'),
  },
  finish: { options: base, query: form('finish') },
  mode: { options: base, query: form('mode-approve') },
  budget: { options: base, query: form('budget') },
  details: { options: base, query: form('details') },
  delete: { options: base, query: form('delete'), press: ['.side .button-bad'] },
}

/** The sample run of a scene, with all that differs. */
export function runOf({ options, change, decide }: RunScene): SyntheticRun {
  const { run, decisions, series } = syntheticRun(options)
  const made = decide?.(decisions) ?? decisions
  return { run: { ...run, decisionCount: made.length, ...change }, decisions: [...made], series }
}
