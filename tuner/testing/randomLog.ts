// Logs that no sane job would write, for the fuzz test of the engine: samples with gaps, repeats, NaN and
// absurd values, probes early and late, acknowledgements that fail, come late or mean nothing, and commands at
// any time. Each entry is drawn while the log is folded, because what is acknowledged depends on what was
// asked. Everything is drawn from one stream of random numbers.

import { evaluatePlan } from '../../protocol/plan.ts'
import {
  type Acknowledgement,
  type Capability,
  type Command,
  capabilities,
  type LineProbe,
  modes,
  type Observation,
  type RunOptions,
  type SampleColumns,
  type ValleyProbe,
} from '../../protocol/vocabulary.ts'
import type { TunerState } from '../index.ts'
import { normals, type Random } from './random.ts'

export type Body = Observation extends infer O
  ? O extends Observation
    ? Omit<O, 'number' | 'receivedAt'>
    : never
  : never

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!
const whole = (random: Random, below: number): number => Math.floor(random() * below)

/** Options of a run, all of them such as the wire accepts. */
export function randomOptions(random: Random): RunOptions {
  const budgetSteps = pick(random, [null, 20, 60, 200, 500, 1_000, 3_000, 20_000])
  const initial = pick(random, [null, 0.1, 0.01, 1e-5])
  const lowest = pick(random, [1e-6, 0.05, 0.1])
  const min = random() < 0.8 || (initial ?? 1) < lowest ? null : lowest
  const max = random() < 0.7 ? null : pick(random, [0.1, 0.3, 2])
  return {
    name: 'random',
    project: 'test',
    tags: [],
    framework: 'none',
    optimizer: pick(random, [
      { name: 'sgd', family: 'sgd', momentum: null, weightDecay: null },
      { name: 'momentum', family: 'sgd', momentum: 0.9, weightDecay: null },
      { name: 'adam', family: 'adam', momentum: 0.9, weightDecay: 0.01 },
      { name: 'muon', family: 'muon', momentum: 0.95, weightDecay: null },
      { name: 'mine', family: 'other', momentum: null, weightDecay: null },
    ]),
    budgetSteps,
    warmupSteps: pick(random, [null, null, null, 0, 30]),
    firstStep: pick(random, [null, null, null, 0, 70]),
    mode: random() < 0.65 ? 'auto' : pick(random, [...modes, 'approve']),
    capabilities: capabilities.filter(() => random() < 0.75) as readonly Capability[],
    learningRate: { initial, min, max },
    settings: {},
  }
}

const oddNumbers = [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1e-300, 1e300, null] as const

/** A loss that falls with scatter, or an odd number. */
function randomLoss(random: Random, step: number, oddShare: number): number | null {
  if (random() < oddShare) return pick(random, oddNumbers)
  return 0.5 + 2 / (1 + step / 200) + 0.1 * normals(random)()
}

function randomSamples(random: Random, state: TunerState): SampleColumns {
  const wanted = 1 + whole(random, pick(random, [1, 10, 80]))
  const ahead = (state.plan.awaitAtStep ?? 0) - state.seen.step
  // A job that can waits for its answers, and so goes through a search; one that does not breaks it off.
  const isPatient = random() < (state.course.kind === 'search' ? 0.995 : 0.95)
  const rows = ahead > 0 && isPatient ? Math.min(wanted, ahead) : wanted
  const oddShare = pick(random, [0, 0, 0, 0, 0.05, 0.9])
  const first = state.seen.origin === null ? pick(random, [0, 0, 0, 0, 9, 5_000, 1e9]) : state.seen.step
  const start = Math.max(0, first + pick(random, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 25, -3, 1e6]))
  const stride = state.course.kind === 'search' ? 1 : pick(random, [1, 1, 1, 1, 1, 1, 1, 1, 10, 100])
  const back = state.seen.isResumed ? whole(random, 200) : 0
  const step = Array.from({ length: rows }, (_, i) => Math.max(0, start - back) + i * stride)
  const own = pick(random, ['plan', 'plan', 'plan', 'absent', 'odd'] as const)
  const objective = pick(random, ['a', 'a', 'b', null])
  const numbers = (make: (step: number) => number | null) =>
    step.map((at) => (random() < oddShare / 4 ? pick(random, oddNumbers) : make(at)))
  return {
    step,
    loss: step.map((at) => randomLoss(random, at, oddShare)),
    ...(own === 'absent'
      ? {}
      : {
          learningRate: numbers((at) =>
            own === 'odd' ? pick(random, oddNumbers) : evaluatePlan(state.plan, at).learningRate,
          ),
        }),
    momentum: numbers(() => 0.9),
    gradientNormSquared: numbers(() => 1 + random()),
    microGradientNormSquared: numbers(() => 2 + random()),
    batchSize: numbers(() => 32),
    microBatchSize: numbers(() => 8),
    stepSeconds: numbers(() => 0.01),
    signalSeconds: numbers(() => 0.0001),
    tokens: step.map((at) => 512 * at),
    ...(random() < 0.1 ? { skipped: step.map(() => pick(random, [0, 0, 1])) } : {}),
    ...(random() < 0.1 ? { objective: step.map(() => objective) } : {}),
    metrics: { own: numbers(() => random()) },
  }
}

const randomStep = (random: Random, state: TunerState): number =>
  Math.max(0, state.seen.step + pick(random, [0, 0, 0, 0, 0, 0, 0, 0, -5, 5, 300, 1e7]))

function randomValley(random: Random, state: TunerState): ValleyProbe {
  const step = randomStep(random, state)
  const oddShare = pick(random, [0, 0, 0, 0.3])
  const loss = () => randomLoss(random, step, oddShare) ?? Number.NaN
  return {
    kind: 'valley',
    step,
    set: random() < 0.95 ? 'held-out' : 'train',
    examples: 512,
    seconds: pick(random, [0, 0.001, 10]),
    raw: { loss: loss(), accuracy: pick(random, [null, 0.5]) },
    averaged: Array.from({ length: whole(random, 4) }, (_, i) => ({ windowSteps: 10 << i, loss: loss() })),
    ...(random() < 0.03 ? { checkpoints: [{ checkpoint: 'lowest', loss: loss() }] } : {}),
  }
}

function randomLine(random: Random, state: TunerState): LineProbe {
  const curvature = () => pick(random, [null, 0.5, -1, 0, 1e300, random()])
  return {
    kind: 'line',
    step: randomStep(random, state),
    seconds: 0.001,
    criticalLearningRate: pick(random, [null, 0.1, 1e-9, random() + 1e-3]),
    curvature: curvature(),
    noiseCurvature: curvature(),
  }
}

function randomAcknowledgement(random: Random, state: TunerState): Acknowledgement {
  const { actions } = state
  const known = actions.length > 0 && random() < 0.95
  const loss = pick(random, [null, Number.NaN, 0.3])
  return {
    actionId: known ? actions[random() < 0.7 ? 0 : whole(random, actions.length)]!.id : 'a-0',
    status: pick(random, ['done', 'done', 'done', 'failed', 'unsupported']),
    step: randomStep(random, state),
    detail: pick(random, ['', 'no space left']),
    ...(random() < 0.2 ? { branch: { fromStep: randomStep(random, state), steps: 9, loss } } : {}),
  }
}

function randomCommand(random: Random, state: TunerState): Command {
  const common = { reason: pick(random, ['', 'to see']), by: 'test' }
  const kind = pick(random, [
    'override',
    'override',
    'hand-back',
    'switch-now',
    'undo-switch',
    'pause',
    'resume',
    'set-budget',
    'set-mode',
    'set-mode',
    'approve',
    'reject',
    'finish',
    'branch',
    'branch',
  ] as const)
  switch (kind) {
    case 'override': {
      const untilStep = Math.max(0, state.seen.step + whole(random, 400) - 50)
      return { kind, learningRate: pick(random, [0, 0.01, 1, 1e6]), untilStep, ...common }
    }
    case 'set-budget': {
      const longer = state.seen.step + pick(random, [-40, 1, 30, 500])
      return { kind, budgetSteps: random() < 0.2 ? null : Math.max(20, longer), ...common }
    }
    case 'set-mode':
      return { kind, mode: random() < 0.6 ? 'auto' : pick(random, modes), ...common }
    case 'approve':
    case 'reject':
      return { kind, decision: state.person.proposal?.number ?? state.decisionCount + 1, ...common }
    case 'branch':
      return { kind, steps: pick(random, [null, null, 2, 50, 5_000]), ...common }
    // A finish ends what there is to test, so it is rare.
    case 'finish':
      return random() < 0.1 ? { kind, ...common } : { kind: 'pause', ...common }
    default:
      return { kind, ...common }
  }
}

/** What a sane job does about the first action that is due: the probe that was asked for, or done. */
function obedientBody(random: Random, state: TunerState): Body | undefined {
  const due = state.actions.find(({ atStep }) => atStep <= state.seen.step)
  if (due === undefined) return undefined
  if (due.kind === 'probe' && random() < 0.8) {
    const probe = { ...randomValley(random, state), step: state.seen.step }
    const scored = due.checkpoints?.map((checkpoint) => ({ checkpoint, loss: random() }))
    return { kind: 'probe', probe: scored === undefined ? probe : { ...probe, checkpoints: scored } }
  }
  const acknowledgement = { actionId: due.id, status: 'done', step: state.seen.step, detail: '' } as const
  return { kind: 'acknowledgement', acknowledgement }
}

/** The next entry of the log. */
export function randomBody(random: Random, state: TunerState): Body {
  const obedient = random() < 0.7 ? obedientBody(random, state) : undefined
  if (obedient !== undefined) return obedient
  const u = random()
  if (u < 0.02) return { kind: 'resumed' }
  if (u < 0.55) {
    const named = random() < 0.3 ? { planVersion: Math.max(0, state.plan.version - whole(random, 4)) } : {}
    return { kind: 'samples', columns: randomSamples(random, state), ...named }
  }
  if (u < 0.75) return { kind: 'probe', probe: randomValley(random, state) }
  if (u < 0.8) return { kind: 'probe', probe: randomLine(random, state) }
  if (u < 0.95) return { kind: 'acknowledgement', acknowledgement: randomAcknowledgement(random, state) }
  return { kind: 'command', command: randomCommand(random, state) }
}
