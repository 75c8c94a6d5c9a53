// A small tuner for tests of the server: pure, JSON state, a hold per probe, a decision per command, a smoothed
// loss per sample. It decides nothing sensible; the server must not care.

import type {
  Command,
  Decision,
  Observation,
  Plan,
  RunOptions,
  SignalReading,
} from '../../protocol/vocabulary.ts'
import type { FoldState, StateSummary, Tuner } from '../runs/tuner.ts'

type State = FoldState & {
  readonly options: RunOptions
  readonly runId: string
  readonly step: number
  readonly loss: number | null
  readonly nonFinite: number
  readonly decisionCount: number
  readonly override: StateSummary['override']
}

const constantPlan = (version: number, learningRate: number): Plan => ({
  version,
  segments: [
    { fromStep: 0, toStep: 1_000, shape: 'constant', from: learningRate, to: learningRate, phase: 'large' },
    { fromStep: 1_000, toStep: 2_000, shape: 'linear', from: learningRate, to: 0, phase: 'anneal' },
  ],
})

const noOptions: RunOptions = {
  name: '',
  project: 'default',
  tags: [],
  framework: 'unknown',
  optimizer: { name: 'unknown', family: 'other', momentum: null, weightDecay: null },
  budgetSteps: null,
  warmupSteps: null,
  firstStep: null,
  mode: 'auto',
  capabilities: [],
  learningRate: { initial: null, min: null, max: null },
  settings: {},
}

const unknownRegime = { name: 'unknown', index: null, low: null, high: null } as const

function decide(
  state: State,
  observation: Observation,
  kind: Decision['kind'],
  summary: string,
): { state: State; decision: Decision } {
  const number = state.decisionCount + 1
  const decision: Decision = {
    number,
    runId: state.runId,
    step: state.step,
    kind,
    summary,
    phase: { from: 'large', to: 'large' },
    regime: unknownRegime,
    plan: state.plan,
    reason: { key: 'fake', values: {} },
    evidence: [
      { signal: 'loss', value: state.loss, standardError: null, unit: '', count: state.step, source: 'fake' },
    ],
    alternatives: [],
    counterfactuals: [],
    rule: { id: 'fake', version: 1 },
    mode: state.options.mode,
    status: 'applied',
    cause: observation.number,
    madeAt: observation.receivedAt,
  }
  return { state: { ...state, decisionCount: number }, decision }
}

function obey(state: State, command: Command): State {
  const next = (learningRate: number) => constantPlan(state.plan.version + 1, learningRate)
  if (command.kind === 'override') {
    const { learningRate, untilStep, reason } = command
    return { ...state, plan: next(learningRate), override: { learningRate, untilStep, reason } }
  }
  if (command.kind === 'hand-back') return { ...state, plan: next(0.1), override: null }
  if (command.kind === 'set-budget')
    return { ...state, options: { ...state.options, budgetSteps: command.budgetSteps } }
  if (command.kind === 'set-mode') return { ...state, options: { ...state.options, mode: command.mode } }
  const lifecycles = { pause: 'paused', resume: 'running', finish: 'finished' } as const
  if (command.kind === 'pause' || command.kind === 'resume' || command.kind === 'finish')
    return { ...state, lifecycle: lifecycles[command.kind] }
  return state
}

/** A version of it, for tests of refolding; `factor` changes what it decides. */
export function createFakeTuner(version = 'fake-1', factor = 1): Tuner {
  const initialState = (): State => ({
    plan: constantPlan(1, 0.1 * factor),
    actions: [],
    lifecycle: 'running',
    options: noOptions,
    runId: '',
    step: 0,
    loss: null,
    nonFinite: 0,
    decisionCount: 0,
    override: null,
  })
  const tune = (state: State, observation: Observation) => {
    switch (observation.kind) {
      case 'start': {
        const { options, runId } = observation
        const result = decide({ ...state, options, runId }, observation, 'start', 'Started.')
        return { state: result.state, decisions: [result.decision], readings: [] }
      }
      case 'samples': {
        const readings: SignalReading[] = []
        let { loss, step, nonFinite } = state
        for (const [i, at] of observation.columns.step.entries()) {
          const value = observation.columns.loss?.[i] ?? null
          step = at + 1
          if (value === null) continue
          if (!Number.isFinite(value)) nonFinite++
          else {
            loss = loss === null ? value : loss + 0.1 * (value - loss)
            readings.push({ signal: 'lossSmoothed', step: at, value: loss, standardError: null })
          }
        }
        return { state: { ...state, loss, step, nonFinite }, decisions: [], readings }
      }
      case 'probe': {
        const summary = `Holding ${0.1 * factor} after ${state.step} steps, loss ${state.loss}.`
        const result = decide(state, observation, 'hold', summary)
        return { state: result.state, decisions: [result.decision], readings: [] }
      }
      case 'command': {
        const kind = observation.command.kind === 'hand-back' ? 'hand-back' : 'override'
        const result = decide(obey(state, observation.command), observation, kind, observation.command.kind)
        return { state: result.state, decisions: [result.decision], readings: [] }
      }
      case 'acknowledgement':
      case 'resumed':
        return { state, decisions: [], readings: [] }
    }
  }
  const summaryOf = (state: State): StateSummary => ({
    options: state.options,
    mode: state.options.mode,
    phase: 'large',
    regime: unknownRegime,
    step: state.step,
    budgetSteps: state.options.budgetSteps,
    headline: `Step ${state.step}.`,
    awaitingDecision: null,
    loss: state.loss,
    learningRate: 0.1 * factor,
    largeLearningRate: null,
    switchStep: null,
    plan: state.plan,
    phases: [{ phase: 'large', fromStep: 0, toStep: null }],
    override: state.override,
    signalShare: null,
    probeShare: null,
    spark: state.loss === null ? [] : [state.loss],
    badSamples: {
      nonFinite: state.nonFinite,
      nonFiniteNorms: 0,
      skipped: 0,
      outOfOrder: 0,
      repeated: 0,
      farAhead: 0,
    },
    drift: null,
    outcome: null,
    forecast: null,
    advice: null,
    branches: [],
  })
  return {
    version,
    initialState,
    tune: (state, observation) => tune(state as State, observation),
    summaryOf: (state) => summaryOf(state as State),
  }
}
