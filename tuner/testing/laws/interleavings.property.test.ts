// Fuzz test of the whole engine: whatever a job and a person do, in whatever order, the engine never throws,
// its plan is one that a client can follow, and its state is sound. A failure prints the seed of its log.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planProblem } from '../../../protocol/plan.ts'
import { actionSchema, planSchema } from '../../../protocol/schemas.ts'
import type { Observation } from '../../../protocol/vocabulary.ts'
import { initialState, type TuneResult, type TunerState, tune } from '../../index.ts'
import { isSteering } from '../../options.ts'
import { actionsMax } from '../../phases/settle.ts'
import { random } from '../random.ts'
import { randomBody, randomOptions } from '../randomLog.ts'

/** Freezes a value to the bottom, so that whoever changes it throws. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const entry of Object.values(value)) frozen(entry)
  }
  return value
}

/** What JSON would not bring back, by its path; parts that are frozen were looked at before. */
function notJson(value: unknown, path: string): string[] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [`${path} is ${value}`]
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return []
  if (typeof value !== 'object') return [`${path} is ${typeof value}`]
  if (Object.isFrozen(value)) return []
  return Object.entries(value).flatMap(([key, entry]) => notJson(entry, `${path}.${key}`))
}

const stateBytesMax = 64 * 1024

function planFaults({ plan, options, mode, budgetSteps, override, phase }: TunerState): string[] {
  const { max } = options.learningRate
  const rates = plan.segments.flatMap(({ from, to }) => [from, to])
  const parsed = planSchema.safeParse(plan)
  const ends = !isSteering(mode) || budgetSteps === null || override !== null || rates.at(-1) === 0
  return [
    ...(planProblem(plan) === undefined ? [] : [planProblem(plan)!]),
    ...(parsed.success
      ? []
      : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)),
    ...(max === null || !isSteering(mode) || Math.max(...rates) <= max
      ? []
      : [`rate above the run's maximum ${max}`]),
    ...(ends ? [] : ['the plan does not end annealed']),
    ...(phase === 'done' && isSteering(mode) && Math.max(...rates) > 0
      ? ['a rate above 0 after the end']
      : []),
  ]
}

const steering = ['plan', 'mode', 'phase', 'budgetSteps', 'override'] as const
/** Nothing changed of what a plan is judged by. */
const isSteeredAlike = (a: TunerState, b: TunerState): boolean => steering.every((key) => a[key] === b[key])

function stateFaults(state: TunerState): string[] {
  const { phases, phase, lifecycle, actions, largeSteps, step, approval, mode } = state
  const isAsked = approval.pending !== null
  const ended = lifecycle === 'finished' || lifecycle === 'diverged'
  const spans = phases.every(
    ({ fromStep, toStep }, i) =>
      toStep === (phases[i + 1]?.fromStep ?? null) && (toStep ?? Infinity) > fromStep,
  )
  const unsound = actions.filter((action) => !actionSchema.safeParse(action).success)
  return [
    ...notJson(state, 'state'),
    ...(actions.length <= actionsMax ? [] : [`${actions.length} actions are outstanding`]),
    ...unsound.map((action) => `not an action: ${JSON.stringify(action)}`),
    ...(new Set(actions.map(({ id }) => id)).size === actions.length ? [] : ['two actions share an id']),
    ...(ended === (phase === 'done') ? [] : [`phase ${phase}, but lifecycle ${lifecycle}`]),
    ...(spans && phases.at(-1)?.phase === phase ? [] : [`phases are ${JSON.stringify(phases)} in ${phase}`]),
    ...(!isAsked || (mode === 'approve' && phase === 'large') ? [] : [`a question in ${mode}, ${phase}`]),
    ...(isAsked || lifecycle !== 'waiting' ? [] : ['waits for nothing']),
    ...(Number.isFinite(largeSteps) && largeSteps >= 0 ? [] : [`largeSteps is ${largeSteps}`]),
    ...(Number.isSafeInteger(step) && step >= 0 ? [] : [`step is ${step}`]),
  ]
}

/** Faults of one turn: how the state moved, and what was decided. */
function turnFaults(
  before: TunerState,
  { state, decisions }: TuneResult,
  observation: Observation,
): string[] {
  const numbers = decisions.map(({ number }) => number)
  const asked = state.actions.filter(({ id }) => !before.actions.some((action) => action.id === id))
  const byHand = observation.kind === 'command'
  const steered = isSteering(before.mode) || isSteering(state.mode) || byHand
  const holds = decisions.filter(({ kind, rule }) => kind === 'hold' && rule.id === 'marginal-cost').length
  const chances = observation.kind === 'samples' ? observation.columns.step.length : 1
  return [
    ...(state.step >= before.step ? [] : ['the step went back']),
    ...(state.plan.version >= before.plan.version ? [] : ["the plan's version went back"]),
    ...(numbers.every((number, i) => number === before.decisionCount + i + 1) ? [] : [`numbers ${numbers}`]),
    ...(state.decisionCount === before.decisionCount + decisions.length ? [] : ['decisionCount']),
    ...(decisions.every(({ cause }) => cause === observation.number) ? [] : ['cause']),
    ...(holds <= chances ? [] : [`${holds} holds`]),
    ...(steered || !asked.some(({ kind }) => kind === 'restore' || kind === 'finish')
      ? []
      : [`asked in mode ${state.mode}: ${asked.map(({ kind }) => kind)}`]),
    ...(before.phase === 'done' && state.phase !== 'done' ? ['the run came back from its end'] : []),
    ...(before.phase === 'done' && state.plan !== before.plan ? ['the plan changed after the end'] : []),
  ]
}

/** Folds a random log; returns the first faults. */
function faultsOf(
  seed: number,
  length: number,
): { at: number; observation: Observation; faults: string[] } | undefined {
  const draw = random(seed)
  let state = initialState()
  let endedAt: number | undefined
  for (let number = 1; number <= length; number++) {
    const body =
      number === 1
        ? { kind: 'start' as const, runId: `random-${seed}`, options: randomOptions(draw) }
        : randomBody(draw, state)
    const observation = frozen({ ...body, number, receivedAt: '2026-01-01T00:00:00.000Z' } as Observation)
    const result = tune(frozen(state), observation)
    const faults = [
      ...(isSteeredAlike(state, result.state) ? [] : planFaults(result.state)),
      ...stateFaults(result.state),
      ...turnFaults(state, result, observation),
    ]
    if (faults.length > 0) return { at: number, observation, faults }
    state = result.state
    endedAt ??= state.phase === 'done' ? number : undefined
    if (endedAt !== undefined && number > endedAt + 10) break
  }
  const bytes = JSON.stringify(state).length
  expect(bytes, `seed ${seed}`).toBeLessThanOrEqual(stateBytesMax)
  return undefined
}

describe('whatever a job and a person do', () => {
  it('the engine never throws, its plan can be followed and its state is sound', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (seed) => {
        const found = faultsOf(seed, 120)
        expect(found, `seed ${seed}`).toBeUndefined()
      }),
      { numRuns: 400, seed: 20260101, endOnFailure: true },
    )
  })
})
