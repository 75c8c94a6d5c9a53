// What must hold of every state and of every turn of the engine, whatever came: each broken rule is a sentence.

import { planProblem } from '../../../protocol/plan.ts'
import { actionSchema, decisionSchema, planSchema, runSummarySchema } from '../../../protocol/schemas.ts'
import type { Observation } from '../../../protocol/vocabulary.ts'
import { summaryOf, type TuneResult, type TunerState } from '../../index.ts'
import { isSteering } from '../../options.ts'
import { reasonKeys } from '../../record/say.ts'
import { actionsMax } from '../../settle.ts'
import { phaseOf } from '../../state.ts'

/** The sentence where the condition is not met. */
const unless = (isMet: boolean, fault: string): string[] => (isMet ? [] : [fault])

/** What JSON would not bring back, by its path; parts that are frozen were looked at before. */
function notJson(value: unknown, path: string): string[] {
  if (typeof value === 'number') return unless(Number.isFinite(value), `${path} is ${value}`)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return []
  if (typeof value !== 'object') return [`${path} is ${typeof value}`]
  if (Object.isFrozen(value)) return []
  return Object.entries(value).flatMap(([key, entry]) => notJson(entry, `${path}.${key}`))
}

type Parser = {
  safeParse(
    value: unknown,
  ):
    | { success: true }
    | { success: false; error: { issues: readonly { path: PropertyKey[]; message: string }[] } }
}
function notOf(schema: Parser, value: unknown, what: string): string[] {
  const parsed = schema.safeParse(value)
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${what}.${path.join('.')}: ${message}`)
}

function planFaults({ plan, options, mode, budgetSteps, person, course, seen }: TunerState): string[] {
  const { max } = options.learningRate
  const rates = plan.segments.flatMap(({ from, to }) => [from, to])
  const problem = planProblem(plan)
  const highest = Math.max(...rates)
  const isFree = !isSteering(mode) || budgetSteps === null || person.override !== null
  return [
    ...(problem === undefined ? [] : [problem]),
    ...notOf(planSchema, plan, 'plan'),
    ...unless(max === null || !isSteering(mode) || highest <= max, `rate above the run's maximum ${max}`),
    ...unless(isFree || rates.at(-1) === 0, 'the plan does not end annealed'),
    ...unless(
      course.kind !== 'done' ||
        !isSteering(mode) ||
        seen.step < (plan.segments.at(-1)?.toStep ?? 0) ||
        rates.at(-1) === 0,
      'a rate above 0 after the end',
    ),
  ]
}

function courseFaults({ course, mode, person, trajectory, actions }: TunerState): string[] {
  const { proposal } = person
  const { awaited } = trajectory
  const isAsked =
    awaited === null || actions.some(({ id, kind }) => id === awaited.actionId && kind === 'restore')
  const isQuiet = isSteering(mode) || course.kind === 'large' || course.kind === 'done'
  return [
    ...unless(isQuiet, `${course.kind} in mode ${mode}`),
    ...unless(
      proposal === null || (mode === 'approve' && course.kind === 'large'),
      `a question in ${mode}, ${course.kind}`,
    ),
    ...unless(isAsked, 'a restore is awaited that is not asked for'),
    ...unless(
      course.kind !== 'anneal' || course.toStep > (course.rest ?? course).fromStep,
      'an anneal without steps',
    ),
    ...unless(course.kind !== 'anneal' || course.fromRate >= 0, 'an anneal from a rate below 0'),
    ...unless(course.kind !== 'search' || course.race.arms.length <= 7, 'too many arms'),
    ...unless(
      course.kind !== 'done' || (person.override === null && awaited === null),
      'something goes on after the end',
    ),
  ]
}

function historyFaults({ phases, course, lifecycle, person, plan, issued, followed }: TunerState): string[] {
  const ended = lifecycle === 'finished' || lifecycle === 'diverged'
  const isWhole = phases.every(
    ({ fromStep, toStep }, i) =>
      toStep === (phases[i + 1]?.fromStep ?? null) && (toStep ?? Infinity) > fromStep,
  )
  const versions = issued.map(({ version }) => version)
  return [
    ...unless(ended === (course.kind === 'done'), `course ${course.kind}, but lifecycle ${lifecycle}`),
    ...unless(
      isWhole && phases.at(-1)?.phase === phaseOf(course),
      `phases are ${JSON.stringify(phases)} in ${course.kind}`,
    ),
    ...unless(lifecycle !== 'waiting' || person.proposal !== null, 'waits for nothing'),
    ...unless(
      versions.every((version, i) => version > (versions[i - 1] ?? 0)),
      `issued ${versions}`,
    ),
    ...unless(
      versions.length <= 8 && (versions.at(-1) ?? 0) <= plan.version,
      'plans issued beyond the present one',
    ),
    ...unless(followed === null || followed.segments.length > 0, 'a plan without segments is followed'),
  ]
}

const observed = { id: 'r', state: 'running', stepsPerSecond: null }
const times = { createdAt: '2026-01-01T00:00:00.000Z', lastSeenAt: '2026-01-01T00:00:00.000Z' }

/** Faults of a state; `before`: the one before it, what has not changed of it was looked at then. */
export function stateFaults(state: TunerState, before: TunerState): string[] {
  const { actions, seen } = state
  const { runLength, step, origin, strideSteps } = seen
  const isRelaid = state.plan !== before.plan || state.mode !== before.mode || state.person !== before.person
  const newActions = actions === before.actions ? [] : actions
  return [
    ...notJson(state, 'state'),
    ...(isRelaid ? planFaults(state) : []),
    ...courseFaults(state),
    ...historyFaults(state),
    ...unless(actions.length <= actionsMax, `${actions.length} actions are outstanding`),
    ...newActions.flatMap((action) => notOf(actionSchema, action, 'action')),
    ...unless(new Set(actions.map(({ id }) => id)).size === actions.length, 'two actions share an id'),
    ...unless(runLength >= 0, `runLength is ${runLength}`),
    ...unless(Number.isSafeInteger(step) && step >= (origin ?? 0), `step is ${step}, origin ${origin}`),
    ...unless(Number.isSafeInteger(strideSteps) && strideSteps >= 1, `strideSteps is ${strideSteps}`),
    ...notOf(runSummarySchema, { ...summaryOf(state), ...observed, ...times }, 'summary'),
  ]
}

/** Faults of one turn: how the state moved, and what was decided. */
export function turnFaults(before: TunerState, result: TuneResult, observation: Observation): string[] {
  const { state, decisions, readings } = result
  const numbers = decisions.map(({ number }) => number)
  const asked = state.actions.filter(({ id }) => !before.actions.some((action) => action.id === id))
  const byHand = observation.kind === 'command'
  const steered = isSteering(before.mode) || isSteering(state.mode) || byHand
  const chances = observation.kind === 'samples' ? observation.columns.step.length : 1
  const holds = decisions.filter(({ kind, rule }) => kind === 'hold' && rule.id === 'marginal-cost')
  const isDone = before.course.kind === 'done'
  const unknown = decisions.filter(({ reason }) => !reasonKeys.includes(reason.key))
  const sentences = decisions.flatMap(({ summary, whyNotYet }) => [summary, whyNotYet ?? 'Now.'])
  return [
    ...unless(state.seen.step >= before.seen.step || before.seen.isResumed, 'the step went back'),
    ...unless(
      observation.kind === 'samples' || observation.kind === 'start' || state.seen.step === before.seen.step,
      `a ${observation.kind} moved the clock`,
    ),
    ...unless(state.plan.version >= before.plan.version, "the plan's version went back"),
    ...unless(
      numbers.every((number, i) => number === before.decisionCount + i + 1),
      `numbers ${numbers}`,
    ),
    ...unless(state.decisionCount === before.decisionCount + decisions.length, 'decisionCount'),
    ...unless(
      decisions.every(({ cause }) => cause === observation.number),
      'cause',
    ),
    ...unless(holds.length <= 2 * chances, `${holds.length} holds`),
    ...unless(
      steered || !asked.some(({ kind }) => kind === 'restore' || kind === 'finish'),
      `asked in mode ${state.mode}: ${asked.map(({ kind }) => kind)}`,
    ),
    ...unless(!isDone || state.course.kind === 'done', 'the run came back from its end'),
    ...unless(!isDone || state.plan === before.plan, 'the plan changed after the end'),
    ...unless(
      readings.every(({ value }) => Number.isFinite(value)),
      'a chart point that is none',
    ),
    ...unknown.map(({ reason }) => `no sentence for ${reason.key}`),
    ...sentences.filter((sentence) => !/^[A-Z0-9](?!.*(undefined|NaN|\.\.)).*\.$/s.test(sentence)),
    ...decisions.flatMap((decision) => notOf(decisionSchema, decision, decision.reason.key)),
  ]
}
