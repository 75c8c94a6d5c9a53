// Sample decisions for the gallery, at fixed shares of an invented run's budget.

import { formatStep } from '../../protocol/numbers.ts'
import type {
  Decision,
  DecisionKind,
  DecisionTest,
  Mode,
  Phase,
  Plan,
  RunState,
} from '../../protocol/vocabulary.ts'

/** What the tuner decides by itself: in advisory mode advice. */
const ruleKinds: readonly DecisionKind[] = ['hold', 'raise', 'lower', 'switch']

export type SyntheticOptions = {
  readonly id: string
  readonly step: number
  readonly budgetSteps: number
  readonly state?: RunState
  /** Steps without telemetry. */
  readonly gap?: readonly [number, number]
  /** Steps whose loss is NaN. */
  readonly nonFinite?: readonly number[]
  readonly overridden?: boolean
  readonly mode?: Mode
  /** The step from which the job applies another rate than the planned one. */
  readonly driftsFrom?: number
  /** Own metrics that the job reports. */
  readonly metrics?: readonly string[]
  /** A run of an older server: its gains were stored without their errors. */
  readonly hasNoErrors?: boolean
  /** The job reports its loss and its rate alone. */
  readonly isLossAlone?: boolean
}

/** Where an invented run changes, as shares of its budget. */
export const shares = {
  warmupPeak: 0.071,
  warmup: 0.088,
  guard: 0.229,
  recovered: 0.262,
  hand: 0.342,
  handEnd: 0.38,
  switch: 0.66,
}

type Weighed = Pick<Decision, 'evidence' | 'alternatives' | 'counterfactuals' | 'test'>

function evidenceFor(step: number): Weighed {
  const noiseScale = (step / 540) ** 1.19
  return {
    test: {
      key: 'marginal-cost',
      left: { value: 0.0211, standardError: 0.0031 },
      relation: '<=',
      right: { value: 0.0132, standardError: 0.001 },
      satisfied: false,
      hits: { met: 0, of: 3 },
      probability: 0.006,
    },
    evidence: [
      {
        signal: 'averagedGap',
        value: 0.0217,
        standardError: 0.0016,
        unit: 'loss',
        count: 43,
        source: 'valley-probe',
      },
      {
        signal: 'annealingGain',
        value: 0.0132,
        standardError: 0.001,
        unit: 'loss',
        count: 3120,
        source: 'noise-and-curvature',
      },
      {
        signal: 'noiseScale',
        value: 78 * noiseScale,
        standardError: 4.5 * noiseScale,
        unit: 'examples',
        count: 3120,
        source: 'micro-batch-norms',
      },
      {
        signal: 'criticalLearningRate',
        value: 0.27,
        standardError: null,
        unit: 'learning rate',
        count: 52,
        source: 'line-probe',
      },
    ],
    alternatives: [
      { kind: 'at', switchStep: 3960, finalLoss: 0.284, standardError: 0.0036, low: 0.273, high: 0.287 },
      { kind: 'now', switchStep: step, finalLoss: 0.286, standardError: 0.0031, low: 0.277, high: 0.289 },
      { kind: 'never', switchStep: null, finalLoss: 0.3, standardError: 0.0056, low: 0.283, high: 0.305 },
      { kind: 'merge', switchStep: step, finalLoss: 0.29, standardError: 0.001, low: 0.288, high: 0.292 },
    ],
    counterfactuals: [
      { rule: 'GreedyLR', step: 1140, finalLoss: 0.3 },
      { rule: 'ReduceLROnPlateau', step: 1860, finalLoss: 0.293 },
      { rule: 'dlib slope test', step: 2580, finalLoss: 0.288 },
      { rule: 'Fixed 45 % anneal', step: null, plannedStep: 3300, finalLoss: 0.285 },
    ],
  }
}

const satisfiedTest: DecisionTest = {
  key: 'marginal-cost',
  left: { value: 0.0083, standardError: 0.0014 },
  relation: '<=',
  right: { value: 0.0112, standardError: 0.0009 },
  satisfied: true,
  hits: { met: 2, of: 3 },
  probability: 0.96,
}

/** What the race of the warm-up found. */
export const raceWeighed: Weighed = {
  evidence: [0.03, 0.1, 0.3].map((learningRate, i) => ({
    signal: 'arm',
    learningRate,
    value: i === 2 ? null : 1.42 - 0.11 * i,
    standardError: i === 1 ? 0.012 : null,
    unit: 'loss',
    count: i === 2 ? 0 : 2048,
    source: i === 2 ? 'race-diverged' : 'race',
    fromStep: 240 * i,
    toStep: i === 2 ? 511 : 240 * (i + 1),
  })),
  alternatives: [],
  counterfactuals: [],
}

/** Whether the kept weights are those of the end. */
const comparisonWeighed: Weighed = {
  test: {
    key: 'comparison',
    left: { value: -0.0008, standardError: 0.0011 },
    relation: '>',
    right: { value: 0.0022, standardError: null },
    satisfied: false,
    hits: { met: 0, of: 1 },
    probability: null,
  },
  evidence: [],
  alternatives: [],
  counterfactuals: [],
}

const unweighed: Weighed = { evidence: [], alternatives: [], counterfactuals: [] }

function weighedBy(kind: DecisionKind, step: number, phase: Phase): Weighed {
  if (kind === 'hold') return evidenceFor(step)
  if (kind === 'switch') return { ...evidenceFor(step), test: satisfiedTest }
  if (kind === 'lower') return raceWeighed
  if (kind === 'finish') return comparisonWeighed
  if (kind === 'transition')
    return { ...unweighed, test: regimeTest(phase === 'large' ? 0.12 : 0.022, 0.004) }
  return unweighed
}

type Event = Pick<Decision, 'step' | 'kind' | 'summary' | 'transition'> & {
  readonly from: Phase
  readonly to: Phase
}

const ruleOf = (kind: DecisionKind): string => {
  if (kind === 'transition') return 'regime'
  return kind === 'drift' ? 'drift' : 'marginal-cost'
}

const regimeTest = (share: number, standardError: number): DecisionTest => ({
  key: 'regime',
  left: { value: share, standardError },
  relation: share > 0.04 ? '>' : '<',
  right: { value: 0.04, standardError: null },
  satisfied: true,
  hits: { met: 1, of: 1 },
  probability: null,
})

export function decisionsOf(options: SyntheticOptions, plan: Plan): Decision[] {
  const { budgetSteps: budget, mode = 'auto', driftsFrom } = options
  const at = (share: number) => Math.round(share * budget)
  const events: Event[] = [
    {
      step: 0,
      kind: 'start',
      summary: 'Started: looking for the largest rate that holds, from 1e-6 up.',
      from: 'warmup',
      to: 'warmup',
    },
    {
      step: at(shares.warmupPeak),
      kind: 'lower',
      summary: 'Large step 0.1: of 3 rates from 0.03 to 0.3, arms did best near 0.1, and 1 diverged.',
      from: 'warmup',
      to: 'large',
    },
    {
      step: at(shares.guard),
      kind: 'guard',
      summary: 'Loss spike at step 1,372: went back to step 1,340 and halved the rate.',
      from: 'large',
      to: 'large',
    },
    {
      step: at(shares.hand),
      kind: 'override',
      summary: 'Set to 0.06 by hand until step 2,280: trying new data.',
      from: 'large',
      to: 'large',
    },
    {
      step: at(shares.handEnd),
      kind: 'hand-back',
      summary: 'Handed back: the rate is 0.1 again.',
      from: 'large',
      to: 'large',
    },
    {
      step: at(shares.switch),
      kind: 'switch',
      summary: `${mode === 'advisory' ? 'Advice: anneal' : 'Annealing'} from step ${formatStep(at(shares.switch))} to ${formatStep(budget)}: staying still gains no more than annealing (0.0083 vs 0.011).`,
      from: 'large',
      to: 'anneal',
    },
  ]
  for (let step = at(0.1); step <= options.step; step += at(0.01)) {
    const phase: Phase = step >= at(shares.switch) ? 'anneal' : 'large'
    const summary = 'Holding the large step at 0.1: staying still gains 0.021, annealing gains 0.013.'
    if (phase === 'large') events.push({ step, kind: 'hold', summary, from: phase, to: phase })
  }
  const regimes = [
    { step: at(0.12), from: 'unknown', to: 'large-step', phase: 'large' },
    { step: at(0.88), from: 'large-step', to: 'small-step', phase: 'anneal' },
  ] as const
  for (const { step, from, to, phase } of regimes)
    events.push({
      step,
      kind: 'transition',
      summary:
        from === 'unknown'
          ? `The regime is now known: ${to}. Annealing would take 12 % ± 2.2 % off the loss, clearly more than 4 %.`
          : `The regime has changed from ${from} to ${to}. Annealing would take 2.2 % ± 0.4 % off the loss, clearly less than 4 %.`,
      from: phase,
      to: phase,
      transition: { from, to },
    })
  if (driftsFrom !== undefined)
    events.push({
      step: driftsFrom + 50,
      kind: 'drift',
      summary: `The job does not follow its plan: since step ${formatStep(driftsFrom)} it applies 0.05, and 0.1 is planned.`,
      from: 'large',
      to: 'large',
    })
  if (options.state === 'finished')
    events.push({
      step: budget,
      kind: 'finish',
      summary: 'Finished at step 6,000 with loss 0.281.',
      from: 'anneal',
      to: 'done',
    })
  return events
    .filter(({ step }) => step <= options.step)
    .sort((a, b) => a.step - b.step)
    .map(({ step, kind, summary, from, to, transition }, i) => ({
      number: i + 1,
      runId: options.id,
      step,
      kind,
      summary,
      phase: { from, to },
      regime: { name: 'large-step', index: 0.84, low: 0.79, high: 0.89 },
      ...(transition === undefined ? {} : { transition }),
      plan,
      reason: { key: kind, values: kind === 'lower' ? { optimum: 0.13 } : ({} as Record<string, number>) },
      ...weighedBy(kind, step, from),
      ...(kind === 'hold'
        ? {
            whyNotYet: '0.6 % chance that annealing already gains as much; the two meet at about step 3,960.',
          }
        : {}),
      ...(kind === 'finish'
        ? {
            promised: { value: 0.284, standardError: 0.0036, low: 0.273, high: 0.287 },
            reached: 0.281,
            isInside: true,
          }
        : {}),
      rule: { id: ruleOf(kind), version: 3 },
      mode,
      status: mode === 'advisory' && ruleKinds.includes(kind) ? 'advisory' : 'applied',
      cause: i + 1,
      madeAt: new Date(Date.UTC(2025, 0, 1, 0, 0, step)).toISOString(),
    }))
}
