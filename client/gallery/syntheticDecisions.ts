// Sample decisions for the gallery, at fixed shares of an invented run's budget.

import type { Decision, DecisionKind, Phase, Plan, RunState } from '../../protocol/vocabulary.ts'

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
function evidenceFor(step: number): Pick<Decision, 'evidence' | 'alternatives' | 'counterfactuals' | 'test'> {
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
        unit: 'nats',
        count: 43,
        source: 'valley probes, held-out',
      },
      {
        signal: 'valleySlope',
        value: -7.3e-6,
        standardError: 1e-6,
        unit: 'nats per step',
        count: 43,
        source: 'valley probes, held-out',
      },
      {
        signal: 'noiseScale',
        value: 78 * (step / 540) ** 1.19,
        standardError: 4.5 * (step / 540) ** 1.19,
        unit: 'examples',
        count: 3120,
        source: 'micro-batch gradient norms',
      },
      {
        signal: 'criticalLearningRate',
        value: 0.27,
        standardError: null,
        unit: '',
        count: 52,
        source: 'line probes',
      },
    ],
    alternatives: [
      { kind: 'at', switchStep: 3960, finalLoss: 0.284, standardError: 0.002 },
      { kind: 'now', switchStep: step, finalLoss: 0.286, standardError: 0.0015 },
      { kind: 'never', switchStep: null, finalLoss: 0.3, standardError: 0.0025 },
    ],
    counterfactuals: [
      { rule: 'GreedyLR', step: 1140 },
      { rule: 'ReduceLROnPlateau', step: 1860 },
      { rule: 'dlib slope test', step: 2580 },
      { rule: 'Fixed 45 % anneal', step: null },
    ],
  }
}

export function decisionsOf(options: SyntheticOptions, plan: Plan): Decision[] {
  const budget = options.budgetSteps
  const at = (share: number) => Math.round(share * budget)
  const events: { step: number; kind: DecisionKind; summary: string; from: Phase; to: Phase }[] = [
    {
      step: 0,
      kind: 'start',
      summary: 'Started: looking for the largest rate that holds, from 0.000001 up.',
      from: 'warmup',
      to: 'warmup',
    },
    {
      step: at(shares.warmupPeak),
      kind: 'lower',
      summary: 'Large step set to 0.10: the loss rose at 0.30.',
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
      summary: 'Handed back: the rate is 0.10 again.',
      from: 'large',
      to: 'large',
    },
    {
      step: at(shares.switch),
      kind: 'switch',
      summary: 'Switched to annealing: staying still gains 0.008, annealing 0.011.',
      from: 'large',
      to: 'anneal',
    },
  ]
  for (let step = at(0.1); step <= options.step; step += at(0.01)) {
    const phase: Phase = step > at(shares.switch) ? 'anneal' : 'large'
    const summary = 'Holding the large step at 0.10: staying still gains 0.021, annealing gains 0.013.'
    if (phase === 'large') events.push({ step, kind: 'hold', summary, from: phase, to: phase })
  }
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
    .map(({ step, kind, summary, from, to }, i) => ({
      number: i + 1,
      runId: options.id,
      step,
      kind,
      summary,
      phase: { from, to },
      regime: { name: 'large-step', index: 0.84, low: 0.79, high: 0.89 },
      plan,
      reason: { key: kind, values: {} },
      ...(kind === 'hold' || kind === 'switch'
        ? {
            ...evidenceFor(step),
            whyNotYet:
              '0.6 % chance that annealing already gains as much. The two meet at about step 3,960 (3,420 to 4,320).',
          }
        : { evidence: [], alternatives: [], counterfactuals: [] }),
      rule: { id: 'marginal-cost', version: 3 },
      mode: 'auto',
      status: 'applied',
      cause: i + 1,
      madeAt: new Date(Date.UTC(2025, 0, 1, 0, 0, step)).toISOString(),
    }))
}
