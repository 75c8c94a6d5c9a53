// A decision record from its draft: what the draft leaves open is taken from the run as it is after the change. Numbers are
// finite or null; the sentences are made from the record itself, in say.ts.

import type {
  Counterfactual,
  Decision,
  DecisionStatus,
  Observation,
  Phase,
} from '../../protocol/vocabulary.ts'
import type { Forecast } from '../estimators/finalLoss.ts'
import { type Draft, ruleVersions } from '../phases/phase.ts'
import type { TunerState } from '../state.ts'
import { say } from './say.ts'
import { sayWhyNotYet } from './sayHold.ts'

export function recordOf(
  draft: Draft,
  context: {
    readonly run: TunerState
    readonly phaseBefore: Phase
    readonly observation: Observation
    readonly counterfactuals: readonly Counterfactual[]
    readonly status: DecisionStatus
  },
): Decision {
  const { run, phaseBefore, observation, counterfactuals, status } = context
  const { kind, rule, test, text, outlook, answers, person, promised, reached } = draft
  const isInside = isWithin(promised, reached)
  const values = finiteOnly(draft.values ?? {})
  const phase = run.phases.at(-1)!.phase
  const told = {
    number: run.decisionCount + 1,
    runId: run.runId,
    step: run.seen.step,
    kind,
    phase: { from: phaseBefore, to: phase },
    regime: run.regime,
    ...(draft.transition === undefined ? {} : { transition: draft.transition }),
    plan: run.plan,
    reason: { key: draft.reason, values, ...(text === undefined ? {} : { text }) },
    ...(test === undefined ? {} : { test }),
    evidence: draft.evidence ?? [],
    ...(outlook?.earliestStep == null ? {} : { earliestStep: outlook.earliestStep }),
    alternatives: outlook?.alternatives ?? [],
    counterfactuals,
    rule: { id: rule, version: ruleVersions[rule] },
    mode: run.mode,
    status,
    ...(answers === undefined ? {} : { answers }),
    ...(person === undefined ? {} : { person: { by: person.by, reason: person.reason } }),
    ...(promised === undefined ? {} : { promised }),
    ...(reached === undefined ? {} : { reached }),
    ...(isInside === null ? {} : { isInside }),
    cause: observation.number,
    madeAt: observation.receivedAt,
  }
  const why = draft.isHold === true ? sayWhyNotYet(told.reason) : undefined
  return { ...told, summary: say(told), ...(why === undefined ? {} : { whyNotYet: why }) }
}

/** Whether what was reached lies within the interval that was promised; null = one of them is not known. */
export const isWithin = (
  promised: Forecast | null | undefined,
  reached: number | null | undefined,
): boolean | null =>
  promised == null || reached == null ? null : promised.low <= reached && reached <= promised.high

const finiteOnly = (values: Readonly<Record<string, number | null>>): Record<string, number | null> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  )
