// What a sample moves of the state by itself, and the state with that moved. Between decisions a sample changes these
// fields and no other, so a batch of samples is folded in them alone. Copying a state by naming its fields takes a
// thirtieth of the time that spreading it takes, which V8 does slowly for objects of so many: a new field of the
// state must be named here, in the order of `initialState`, and the compiler says so.

import type { TunerState } from './state.ts'

export type Moving = Pick<
  TunerState,
  'signals' | 'learningRate' | 'momentum' | 'step' | 'largeSteps' | 'divergence' | 'rivals'
>

export function stateWith(state: TunerState, moving: Moving): TunerState {
  return {
    tunerVersion: state.tunerVersion,
    runId: state.runId,
    options: state.options,
    mode: state.mode,
    budgetSteps: state.budgetSteps,
    lifecycle: state.lifecycle,
    phase: state.phase,
    phases: state.phases,
    step: moving.step,
    plan: state.plan,
    actions: state.actions,
    actionCount: state.actionCount,
    decisionCount: state.decisionCount,
    largeLearningRate: state.largeLearningRate,
    switchStep: state.switchStep,
    isUndone: state.isUndone,
    lowest: state.lowest,
    validFromStep: state.validFromStep,
    awaitedRestore: state.awaitedRestore,
    awaitedLargeSteps: state.awaitedLargeSteps,
    warmup: state.warmup,
    anneal: state.anneal,
    override: state.override,
    approval: state.approval,
    rewarm: state.rewarm,
    rule: state.rule,
    sequential: state.sequential,
    largeSteps: moving.largeSteps,
    signals: moving.signals,
    divergence: moving.divergence,
    regime: state.regime,
    learningRate: moving.learningRate,
    momentum: moving.momentum,
    outlook: state.outlook,
    keptLoss: state.keptLoss,
    remark: state.remark,
    rivals: moving.rivals,
  }
}
