// The gallery: the page's own views on sample values, for looking at them and for screenshots. Development
// only (open /gallery/?show=run under the dev server); nothing of it is in the bundle. `show` picks the scene.

import { render } from 'preact'
import type { Decision, RunState, RunSummary } from '../../protocol/vocabulary.ts'
import { connection } from '../connection/live.ts'
import { address, parseAddress } from '../state/address.ts'
import { startClock } from '../state/clock.ts'
import { calibration } from '../state/forecasts.ts'
import { emptyRunList, runList } from '../state/runList.ts'
import { runState } from '../state/runPage.ts'
import { emptyRunState } from '../state/runState.ts'
import { startTheme } from '../state/theme.ts'
import { App } from '../views/app.tsx'
import { type SyntheticOptions, syntheticRun } from './syntheticRun.ts'
import { searchedSoFar, withoutBudget } from './syntheticScenes.ts'
import '../style/charts.css'
import '../style/page.css'
import '../style/panel.css'
import '../style/run.css'
import '../style/runs.css'
import '../style/doing.css'
import '../style/tokens.css'
import '../style/touch.css'

const base: SyntheticOptions = { id: 'fashion-cnn-3', step: 3121, budgetSteps: 6000 }
const scenes: Readonly<Record<string, SyntheticOptions>> = {
  run: base,
  warmup: { ...base, step: 300 },
  anneal: { ...base, step: 4900 },
  finished: { ...base, step: 6000, state: 'finished' },
  stale: { ...base, state: 'stale', gap: [1700, 2000], nonFinite: [900, 901, 902] },
  paused: { ...base, state: 'paused' },
  overridden: { ...base, overridden: true },
  drifting: { ...base, driftsFrom: 2860 },
  advised: { ...base, step: 4300, mode: 'advisory' },
  'no-better': { ...base, step: 6000, state: 'finished' },
  'bad-samples': { ...base, nonFinite: [900, 901, 902] },
  'loss-alone': { ...base, isLossAlone: true },
  answers: { ...base, step: 4300, mode: 'approve' },
  searching: { ...base, step: 700 },
  'no-budget': base,
  'older-gains': { ...base, hasNoErrors: true },
  metrics: { ...base, metrics: ['accuracy', 'perplexity', 'top5_accuracy', 'seconds'] },
  long: { ...base, id: 'resnet-long-1', step: 720_000, budgetSteps: 1_000_000, gap: [270_000, 330_000] },
}

/** What some scenes show that does not follow from their options. */
const changes: Readonly<Record<string, Partial<RunSummary>>> = {
  advised: {
    headline:
      "Advice only, step 4,300 of 6,000: anneal, advised since step 3,960; whether it is done is the job's own affair. The job applies 0.1.",
    phase: 'large',
    phases: [
      { phase: 'warmup', fromStep: 0, toStep: 528 },
      { phase: 'large', fromStep: 528, toStep: null },
    ],
    switchStep: null,
    advice: { step: 3960, kind: 'switch' },
  },
  searching: {
    headline: 'Looking for the rate, step 700 of 6,000: the third one, 0.3, runs.',
    phase: 'warmup',
    phases: [{ phase: 'warmup', fromStep: 0, toStep: null }],
    largeLearningRate: null,
    race: searchedSoFar,
  },
  'no-budget': {
    budgetSteps: null,
    headline:
      'Large step at 0.1, step 3,121: as many steps again would take off 0.0065, and 0.0057 are worth it.',
  },
  'no-better': {
    headline: 'Final held-out loss 2.33. It is no better than at its start. Never switched.',
    outcome: { firstLoss: 2.31, keptLoss: 2.33, isBetter: false, isHeldOut: true },
    loss: 2.33,
    switchStep: null,
    phases: [
      { phase: 'warmup', fromStep: 0, toStep: 528 },
      { phase: 'large', fromStep: 528, toStep: 6000 },
    ],
  },
  'bad-samples': {
    badSamples: {
      nonFinite: 3,
      nonFiniteNorms: 1,
      skipped: 12,
      outOfOrder: 2,
      repeated: 140,
      farAhead: 1,
    },
  },
}

/** The same question in every way in which it may end, besides the switch that was applied. */
function everyAnswer(decisions: readonly Decision[]): Decision[] {
  const switched = decisions.find(({ kind }) => kind === 'switch')!
  const statuses = ['awaiting-approval', 'rejected', 'expired', 'superseded', 'advisory'] as const
  const others = statuses.map((status, i) => ({
    ...switched,
    status,
    number: 1000 + i,
    step: 1500 + 400 * i,
  }))
  return [...decisions.filter(({ step, kind }) => kind === 'start' || step >= switched.step), ...others].sort(
    (a, b) => a.step - b.step,
  )
}

/** What some scenes have decided differently. */
function decisionsOf(made: readonly Decision[]): readonly Decision[] {
  if (show === 'answers') return everyAnswer(made)
  if (show === 'no-budget') return withoutBudget(made)
  return show === 'searching' ? made.slice(0, 1) : made
}

const secondsAgo = (seconds: number) => new Date(Date.now() - 1000 * seconds).toISOString()

function listed(
  id: string,
  part: Partial<RunSummary>,
  options: Partial<SyntheticOptions> = {},
  ago = 1,
): RunSummary {
  return { ...syntheticRun({ ...base, id, ...options }).run, lastSeenAt: secondsAgo(ago), ...part }
}

function sampleRuns(): RunSummary[] {
  const say = (headline: string, state: RunState = 'running') => ({ headline, state })
  return [
    listed(
      'text-bytes-11',
      say('Start annealing at step 3,960? Staying still gains 0.008, annealing 0.011.', 'waiting'),
    ),
    listed('fashion-cnn-3', {}),
    listed('fashion-cnn-2', say('Annealing since step 3,960, rate 0.041. Half of the expected gain is in.'), {
      step: 4910,
    }),
    listed(
      'digits-mlp-8',
      say('Warming up at 0.0031, step 118 of 3,000: looking for the largest rate that holds.'),
      { step: 118, budgetSteps: 3000 },
    ),
    listed('tabular-tf-4', say('', 'stale'), { step: 2220 }, 245),
    listed(
      'text-bytes-10',
      { ...say('Stopped at step 1,310: the loss diverged a fourth time.', 'diverged'), loss: Number.NaN },
      { step: 1310 },
      7600,
    ),
    listed(
      'fashion-cnn-1',
      say('Final held-out loss 0.281. Switched at step 3,960 of 6,000.', 'finished'),
      { step: 6000 },
      90_000,
    ),
    listed('digits-mlp-7', { state: 'finished', ...changes['no-better'] }, { step: 6000 }, 172_000),
  ]
}

const sampleCalibration = {
  runs: 40,
  count: 31,
  inside: 28,
  below: 2,
  above: 1,
  widthMedian: 0.12,
  bins: [
    { from: 0, count: 6, inside: 5 },
    { from: 0.05, count: 14, inside: 12 },
    { from: 0.15, count: 8, inside: 8 },
    { from: 0.5, count: 3, inside: 3 },
  ],
}

const query = new URLSearchParams(location.search)
const show = query.get('show') ?? 'run'
startTheme()
startClock()
connection.value = query.has('lost')
  ? { kind: 'lost', sinceMs: Date.now() - 9000, retryAtMs: Date.now() + 60_000 }
  : { kind: 'live' }
const scene = scenes[show]
if (scene === undefined) {
  calibration.value = sampleCalibration
  const runs = show === 'runs' ? sampleRuns() : []
  runList.value = { ...emptyRunList, runs, loaded: true, total: runs.length, all: runs.length }
  address.value = parseAddress('/', location.search)
} else {
  const { run, decisions: made, series } = syntheticRun(scene)
  const decisions = decisionsOf(made)
  runState.value = {
    ...emptyRunState(run.id),
    run: { ...run, ...changes[show], lastSeenAt: secondsAgo(scene.state === 'stale' ? 245 : 1) },
    decisions: decisions.map((decision, i) => ({
      ...decision,
      madeAt: secondsAgo(4 + 12 * (decisions.length - 1 - i)),
    })),
    series,
    signalNames: Object.keys(series.signals),
    loaded: true,
  }
  address.value = parseAddress(`/runs/${run.id}`, location.search)
}
render(<App />, document.getElementById('app') as HTMLElement)
