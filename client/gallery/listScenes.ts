// Sample lists for the gallery: a run in each state, groups of them, promises kept, and what is compared.

import type {
  ForecastCalibration,
  RunCounts,
  RunGroup,
  RunState,
  RunSummary,
} from '../../protocol/vocabulary.ts'
import { type Bar, runOf, runScenes } from './runScenes.ts'
import { type SyntheticOptions, syntheticRun } from './syntheticRun.ts'

const base: SyntheticOptions = { id: 'fashion-cnn-3', step: 3121, budgetSteps: 6000 }

export const secondsAgo = (seconds: number) => new Date(Date.now() - 1000 * seconds).toISOString()

function listed(
  id: string,
  part: Partial<RunSummary>,
  options: Partial<SyntheticOptions> = {},
  ago = 1,
): RunSummary {
  const { run } = syntheticRun({ ...base, id, ...options })
  const heldOut = { loss: 0.296, lossBest: 0.291, accuracy: 0.894, accuracyBest: 0.897 }
  return {
    ...run,
    ...(options.step === 0 ? {} : { heldOut }),
    createdAt: secondsAgo(ago + 640),
    lastSeenAt: secondsAgo(ago),
    ...part,
  }
}

/** A run in each state, and one with a name that is longer than its cell. */
export function sampleRuns(): RunSummary[] {
  const say = (headline: string, state: RunState = 'running') => ({ headline, state })
  return [
    listed('text-bytes-11', {
      ...say('Start annealing at step 3,960? Staying still gains 0.008, annealing 0.011.', 'waiting'),
      awaitingDecision: 12,
    }),
    listed('fashion-cnn-3', {}),
    listed('fashion-cnn-2', say('Annealing since step 3,960, rate 0.041. Half of the expected gain is in.'), {
      step: 4910,
    }),
    listed('sweep lr=0.1297 wd=0.0005 warmup=200 seed=42', {
      options: {
        ...syntheticRun(base).run.options,
        name: 'sweep lr=0.1297 wd=0.0005 warmup=200 seed=42',
        tags: ['sweep', 's42'],
      },
    }),
    listed(
      'digits-mlp-8',
      say('Warming up at 0.0031, step 118 of 3,000: looking for the largest rate that holds.'),
      { step: 118, budgetSteps: 3000 },
    ),
    listed('tabular-tf-6', say('Paused at step 1,900, rate 0.1.', 'paused'), { step: 1900 }, 60),
    listed('tabular-tf-4', say('', 'stale'), { step: 2220 }, 245),
    listed(
      'text-bytes-10',
      { ...say('Stopped at step 1,310: the loss diverged a fourth time.', 'diverged'), loss: 1_630_000 },
      { step: 1310 },
      7600,
    ),
    listed(
      'text-bytes-9',
      { ...say('Large step at 0.1, step 5,000, no budget.'), budgetSteps: null },
      {},
      9000,
    ),
    listed('never-reported', { ...say(''), loss: null, spark: [] }, { step: 0 }, 20_000),
    listed(
      'fashion-cnn-1',
      say('Final held-out loss 0.281. Switched at step 3,960 of 6,000.', 'finished'),
      { step: 6000 },
      90_000,
    ),
    listed('digits-mlp-7', { state: 'finished', ...runScenes['no-better']!.change }, { step: 6000 }, 172_000),
  ]
}

export const sampleCounts: RunCounts = {
  states: [
    { name: 'running', count: 6 },
    { name: 'waiting', count: 1 },
    { name: 'finished', count: 2 },
  ],
  projects: [
    { name: 'fashion', count: 4 },
    { name: 'text', count: 3 },
  ],
  tags: [{ name: 'sweep', count: 1 }],
}

export const sampleGroups: readonly RunGroup[] = [
  {
    name: 'fashion',
    count: 4,
    loss: { count: 4, mean: 0.304, min: 0.281, max: 0.322 },
    heldOutBest: { count: 4, mean: 0.293, min: 0.281, max: 0.31 },
    accuracyBest: { count: 4, mean: 0.897, min: 0.89, max: 0.904 },
  },
  {
    name: 'text',
    count: 3,
    loss: { count: 2, mean: 1.42, min: 1.31, max: 1.53 },
    heldOutBest: null,
    accuracyBest: null,
  },
]

export const sampleCalibration: ForecastCalibration = {
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

/** A sample run that was heard of a moment ago, or that has been silent for some minutes. */
function heard(options: Partial<SyntheticOptions>): ReturnType<typeof runOf> {
  const made = runOf({ options: { ...base, ...options } })
  const ago = options.state === 'stale' ? 245 : 1
  return { ...made, run: { ...made.run, createdAt: secondsAgo(3_600), lastSeenAt: secondsAgo(ago) } }
}

/** Runs that a comparison may name, by their ids. */
export const comparable: Readonly<Record<string, ReturnType<typeof runOf>>> = {
  'fashion-cnn-3': heard({}),
  'fashion-cnn-2': heard({ id: 'fashion-cnn-2', step: 3540, budgetSteps: 4500 }),
  'fashion-cnn-1': heard({ id: 'fashion-cnn-1', step: 5000, budgetSteps: 5000, state: 'finished' }),
  'tabular-tf-4': heard({
    id: 'tabular-tf-4',
    step: 2220,
    budgetSteps: 8000,
    state: 'stale',
    mode: 'advisory',
    gap: [900, 1_200],
  }),
}

export type PageScene = {
  readonly path: string
  readonly press?: readonly string[]
  readonly bar?: Bar
  /** No run in the list; it is not there yet; it could not be had. */
  readonly list?: 'empty' | 'loading' | 'failed'
}

/** The scenes of all other pages, by the address that each is seen at. */
export const pageScenes: Readonly<Record<string, PageScene>> = {
  runs: { path: '/' },
  picked: { path: '/?pick=fashion-cnn-3,fashion-cnn-2&pin=fashion-cnn-1&base=fashion-cnn-1' },
  groups: { path: '/?group=project' },
  columns: { path: '/', press: ['details.columns summary'] },
  'nothing-found': { path: '/?q=nothing+like+it', list: 'empty' },
  'list-loading': { path: '/', list: 'loading' },
  'list-failed': { path: '/', list: 'failed', bar: 'lost' },
  'no-runs': { path: '/start' },
  compare: { path: '/compare?runs=fashion-cnn-3,fashion-cnn-2,fashion-cnn-1,tabular-tf-4&rows=all' },
  'compare-share': { path: '/compare?runs=fashion-cnn-3,nobody,fashion-cnn-1&x=share&y=log' },
  'compare-nothing': { path: '/compare' },
  start: { path: '/start?framework=curl' },
  settings: { path: '/settings' },
  tokens: { path: '/settings/tokens' },
  'token-asked': { path: '/settings/tokens', press: ['tr:last-of-type .button'] },
  audit: { path: '/settings/audit' },
  deleted: { path: '/settings/deleted' },
  webhooks: { path: '/settings/webhooks', press: ['.webhook:last-of-type [aria-expanded]'] },
  'not-found': { path: '/no/where' },
}
