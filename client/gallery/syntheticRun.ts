// Sample values for the gallery: an invented run in the shape of the real ones, from a seed. It is imported by
// the gallery and by tests alone, never by the page, and says nothing about how training behaves.

import { evaluatePlan } from '../../protocol/plan.ts'
import type { Decision, Phase, Plan, RunSummary, Segment } from '../../protocol/vocabulary.ts'
import type { Columns, Series } from '../state/series.ts'
import { decisionsOf, type SyntheticOptions, shares } from './syntheticDecisions.ts'

export type { SyntheticOptions }
export type SyntheticRun = {
  readonly run: RunSummary
  readonly decisions: Decision[]
  readonly series: Series
}

/** Numbers in [0, 1) from a seed (mulberry32's idea, in our own words: add, mix, shift). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const large = 0.1
const driftedRate = 0.05

function planOf(budget: number): Plan {
  const at = (share: number) => Math.round(share * budget)
  const flat = (from: number, to: number, rate: number, phase: Phase): Segment => ({
    fromStep: at(from),
    toStep: at(to),
    shape: 'constant',
    from: rate,
    to: rate,
    phase,
  })
  const segments: Segment[] = [
    {
      fromStep: 0,
      toStep: at(shares.warmupPeak),
      shape: 'exponential',
      from: 1e-6,
      to: 0.3,
      phase: 'warmup',
    },
    {
      fromStep: at(shares.warmupPeak),
      toStep: at(shares.warmup),
      shape: 'linear',
      from: 0.033,
      to: large,
      phase: 'warmup',
    },
    flat(shares.warmup, shares.guard, large, 'large'),
    {
      fromStep: at(shares.guard),
      toStep: at(shares.recovered),
      shape: 'linear',
      from: 0.05,
      to: large,
      phase: 'large',
    },
    flat(shares.recovered, shares.hand, large, 'large'),
    flat(shares.hand, shares.handEnd, 0.06, 'large'),
    flat(shares.handEnd, shares.switch, large, 'large'),
    { fromStep: at(shares.switch), toStep: budget, shape: 'linear', from: large, to: 0, phase: 'anneal' },
  ]
  return { version: 6, segments }
}

/** Loss of the averaged weights and what the large step adds to it. */
function lossParts(step: number, budget: number): { averaged: number; gap: number } {
  const scaled = (6000 * step) / budget
  const share = step / budget
  const anneal = share > shares.switch ? Math.max(0.02, 1 - (share - shares.switch) / (1 - shares.switch)) : 1
  const start = 1.8 / (1 + Math.exp((scaled - 330) / 40))
  const late = 0.22 + 4.49 / Math.sqrt(Math.max(scaled, 160))
  return {
    averaged: late + start,
    gap: (0.0217 + 0.05 * Math.exp(-Math.max(0, scaled - 526) / 420)) * anneal,
  }
}

type Growing = { [Name in keyof Columns]: (number | null)[] }
const growing = (): Growing => ({ step: [], min: [], max: [], last: [], count: [], nonFinite: [] })

function push(columns: Growing, step: number, values: readonly number[]): void {
  const finite = values.filter(Number.isFinite)
  columns.step.push(step)
  columns.min.push(finite.length > 0 ? Math.min(...finite) : null)
  columns.max.push(finite.length > 0 ? Math.max(...finite) : null)
  columns.last.push(finite.at(-1) ?? null)
  columns.count.push(finite.length)
  columns.nonFinite.push(values.length - finite.length)
}

/** An own metric of the sample job: an accuracy that grows, or anything that falls. */
const metricAt = (name: string, share: number): number =>
  name.includes('accuracy') ? 0.93 - 0.5 * Math.exp(-9 * share) : 40 * Math.exp(-4 * share) + 2

/** The rate that the job applies: a job that is only advised does not anneal, and one that drifts goes its own way. */
function appliedAt({ budgetSteps, mode, driftsFrom }: SyntheticOptions, plan: Plan, step: number): number {
  if (driftsFrom !== undefined && step >= driftsFrom) return driftedRate
  const planned = evaluatePlan(plan, step).learningRate
  return mode === 'advisory' && step >= Math.round(shares.switch * budgetSteps) ? large : planned
}

function seriesOf(options: SyntheticOptions, plan: Plan): Series {
  const { step: end, budgetSteps: budget } = options
  const random = randomFrom(7)
  const noise = () => (random() + random() + random() + random() - 2) * 1.7
  const bucket = Math.max(1, Math.floor(end / 1000))
  const probeEvery = Math.max(1, Math.round(budget / 100))
  const signals: Record<string, Growing> = {}
  const add = (name: string, step: number, ...values: number[]) => {
    signals[name] ??= growing()
    push(signals[name], step, values)
  }
  /** A forecast that narrows from the warm-up to the end. */
  const addForecast = (step: number) => {
    const left = Math.max(0, 1 - step / budget)
    const value = 0.282 + 0.03 * left * left
    add('forecastLoss', step, value)
    add('forecastLossLow', step, value * Math.exp(-0.03 - 0.9 * left * left))
    add('forecastLossHigh', step, value * Math.exp(0.012 + 0.25 * left * left))
  }
  /** Staying still gains less and less, annealing about the same: they meet at the switch. */
  const addGains = (step: number, jitter: () => number) => {
    const share = step / budget / shares.switch
    const early = Math.exp(-8 * (share - 0.25))
    const gains = {
      stayingGain: 0.0115 / share - 0.0005 + 0.0006 * jitter(),
      annealingGain: 0.0108 + 0.004 * early + 0.0003 * jitter(),
    }
    add('stayingGain', step, gains.stayingGain)
    add('annealingGain', step, gains.annealingGain)
    if (options.hasNoErrors) return
    add('stayingGainError', step, 0.0012 + 0.009 * early)
    add('annealingGainError', step, 0.0007 + 0.003 * early)
  }
  const addNoise = (step: number) => {
    const scale = 78 * ((6000 * step) / budget / 540) ** 1.19
    add('noiseScale', step, scale * (1 + 0.05 * Math.sin(step / 130)))
    add('noiseScaleError', step, 0.06 * scale)
  }
  const silent = (step: number) => options.gap !== undefined && step > options.gap[0] && step < options.gap[1]
  for (let step = 0; step < end; step += bucket) {
    if (silent(step)) continue
    const { averaged, gap } = lossParts(step, budget)
    const count = Math.min(bucket, end - step)
    const bad = options.nonFinite?.filter((at) => at >= step && at < step + count).length ?? 0
    const spread = 0.026 + 0.05 * Math.exp((-6000 * step) / budget / 700)
    const losses = Array.from({ length: count }, (_, i) =>
      i < bad ? Number.NaN : Math.max(0.2, averaged + gap + noise() * spread),
    )
    add('loss', step, ...losses)
    add('lossSmoothed', step, averaged + gap + 0.0016 * Math.sin(step / 47))
    add('learningRate', step, ...Array.from({ length: count }, (_, i) => appliedAt(options, plan, step + i)))
    add('batchSize', step, 128)
    if (step >= shares.warmup * budget) addNoise(step)
  }
  for (let step = probeEvery; step < end; step += probeEvery) {
    if (silent(step)) continue
    const critical = 0.27 + 0.03 * Math.sin(step / 310)
    add('criticalLearningRate', step, critical)
    add('rateRatio', step, Math.min(1.12, appliedAt(options, plan, step) / critical) * (1 + 0.03 * noise()))
    if (step >= 0.1 * budget) add('averagedLoss', step, lossParts(step, budget).averaged + 0.0016 * noise())
    if (step >= 0.15 * budget) addForecast(step)
    if (step >= 0.17 * budget && step <= shares.switch * budget) addGains(step, noise)
    for (const name of options.metrics ?? [])
      add(`metrics.${name}`, step, metricAt(name, step / budget) + 0.004 * noise())
    if (step < 0.17 * budget) continue
    const width = 0.05 + 0.11 * Math.exp(-(step / budget - 0.17) * 11)
    const index = 0.84 - 0.14 * Math.exp(-(step / budget - 0.17) * 9) + 0.012 * Math.sin(step / 95)
    add('regimeIndex', step, index)
    add('regimeIndexLow', step, Math.max(0, index - width))
    add('regimeIndexHigh', step, Math.min(1, index + width))
  }
  return {
    runId: options.id,
    fromStep: 0,
    toStep: end,
    stored: end,
    shown: Math.ceil(end / bucket),
    signals: signals as unknown as Series['signals'],
  }
}

/** A run with its decisions and series, wholly determined by the options. */
export function syntheticRun(options: SyntheticOptions): SyntheticRun {
  const made = fullRun(options)
  if (!options.isLossAlone) return made
  const { run, decisions, series } = made
  const { loss, lossSmoothed, learningRate } = series.signals
  return {
    run: {
      ...run,
      options: { ...run.options, capabilities: [] },
      regime: { name: 'unknown', index: null, low: null, high: null, reason: 'no-probes' },
    },
    decisions: decisions.map((decision) => ({ ...decision, evidence: [] })),
    series: { ...series, signals: { loss: loss!, lossSmoothed: lossSmoothed!, learningRate: learningRate! } },
  }
}

function fullRun(options: SyntheticOptions): SyntheticRun {
  const { id, step, budgetSteps, state = 'running', mode = 'auto', driftsFrom } = options
  const plan = planOf(budgetSteps)
  const ends = [0, Math.round(shares.warmup * budgetSteps), Math.round(shares.switch * budgetSteps)]
  const names: Phase[] = ['warmup', 'large', 'anneal']
  const present = ends.findLastIndex((from) => from <= step)
  const series = seriesOf(options, plan)
  const smoothed = series.signals.lossSmoothed
  const last = smoothed?.last ?? []
  const decisions = decisionsOf(options, plan)
  const run: RunSummary = {
    id,
    options: {
      name: id,
      project: id.split('-')[0] ?? 'project',
      tags: [],
      framework: 'PyTorch',
      optimizer: { name: 'SGD', family: 'sgd', momentum: 0.9, weightDecay: null },
      budgetSteps,
      warmupSteps: null,
      firstStep: null,
      mode,
      capabilities: ['checkpoint', 'microBatchNorms', 'heldOutLoss', 'averagedWeights', 'lineProbe'],
      learningRate: { initial: null, min: 0.001, max: 0.3 },
      settings: { batchSize: 128 },
    },
    state,
    mode,
    phase: names[present] ?? 'warmup',
    regime: { name: 'large-step', index: 0.84, low: 0.79, high: 0.89 },
    step,
    budgetSteps,
    headline:
      'Large step at 0.1, step 3,120 of 6,000: staying still gains more than annealing (0.021 vs 0.013). Earliest switch at step 3,960.',
    loss: last.at(-1) ?? null,
    learningRate: step > 0 ? appliedAt(options, plan, step - 1) : null,
    largeLearningRate: large,
    switchStep: present === 2 ? ends[2]! : null,
    plan,
    phases: names
      .slice(0, present + 1)
      .map((phase, i) => ({ phase, fromStep: ends[i]!, toStep: i < present ? ends[i + 1]! : null })),
    override: options.overridden
      ? { learningRate: 0.06, untilStep: step + 200, reason: 'trying new data' }
      : null,
    awaitingDecision: null,
    decisionCount: decisions.length,
    signalShare: 0.011,
    probeShare: 0.007,
    stepsPerSecond: 5.2,
    spark: last
      .filter((_, i) => i % Math.max(1, Math.ceil(last.length / 40)) === 0)
      .map((value) => value ?? 0),
    badSamples: {
      nonFinite: options.nonFinite?.length ?? 0,
      nonFiniteNorms: 0,
      skipped: 0,
      outOfOrder: 0,
      repeated: 0,
      farAhead: 0,
    },
    drift: driftsFrom === undefined ? null : { sinceStep: driftsFrom, applied: driftedRate, planned: large },
    outcome:
      state === 'finished' ? { firstLoss: 2.31, keptLoss: 0.281, isBetter: true, isHeldOut: true } : null,
    forecast:
      state === 'finished'
        ? { value: 0.284, standardError: 0.0036, low: 0.273, high: 0.287, reached: 0.281, isInside: true }
        : null,
    advice: null,
    branches: [],
    createdAt: '2025-01-01T00:00:00.000Z',
    lastSeenAt: '2025-01-01T01:00:00.000Z',
  }
  return { run, decisions, series }
}
