// The start of a run: the state before the first observation, and what the first one, with the run's options,
// makes of it: a search for the large rate, a ramp to a given or usual one, or watching only. And what is made of a job that
// starts again.

import type { Observation } from '../../protocol/vocabulary.ts'
import { noDrift } from '../guard/drift.ts'
import { noGuard, watchedAfresh } from '../guard/watch.ts'
import { armMeasure, givenRate, isSteering, optimizerFamily } from '../options.ts'
import { branchLeft } from '../person/branch.ts'
import { largeCourse, rampTo } from '../phases/enter.ts'
import { type Draft, isOfTheCourse, type Outcome, type Run } from '../phases/phase.ts'
import { beginSearch, initialSearch } from '../phases/search/search.ts'
import { deadlineStep, endOf, lengthOf, originOf } from '../plan/bounds.ts'
import { beside, settle, type Turn, updated } from '../settle.ts'
import { unknownRegime } from '../signals/regime.ts'
import { initialSignals, rebudgetedSignals } from '../signals/signals.ts'
import { phaseOf, type TunerState, tunerVersion } from '../state.ts'

/** The state before the first observation; the first observation must be `start`. */
export function initialState(): TunerState {
  return {
    tunerVersion,
    runId: '',
    options: {
      name: '',
      project: '',
      tags: [],
      framework: '',
      optimizer: { name: 'unknown', family: 'other', momentum: null, weightDecay: null },
      budgetSteps: null,
      warmupSteps: null,
      firstStep: null,
      mode: 'off',
      capabilities: [],
      learningRate: { initial: null, min: null, max: null },
      settings: {},
    },
    mode: 'off',
    budgetSteps: null,
    lifecycle: 'running',
    seen: {
      origin: null,
      isOriginSure: false,
      isResumed: false,
      step: 0,
      strideSteps: 1,
      ahead: null,
      learningRate: null,
      momentum: null,
      objective: null,
      runLength: 0,
      signals: initialSignals(null),
      guard: noGuard,
      drift: noDrift,
      rivals: null,
    },
    course: largeCourse(0, null),
    trajectory: { validFromStep: 0, awaited: null },
    person: { override: null, proposal: null, askedFromStep: 0, isPaused: false },
    kept: null,
    regime: unknownRegime('no-probes'),
    regimeKnown: 'unknown',
    phases: [{ phase: 'large', fromStep: 0, toStep: null }],
    plan: { version: 0, segments: [] },
    issued: [],
    followed: null,
    actions: [],
    actionCount: 0,
    branches: [],
    branchCount: 0,
    decisionCount: 0,
  }
}

export function begun(turn: Turn, { runId, options }: Extract<Observation, { kind: 'start' }>): Turn {
  const { budgetSteps, mode, firstStep = null, warmupSteps = null, optimizer } = options
  const { momentum = null, weightDecay = null } = optimizer
  // A log of version 0.1.0 tells less.
  const family = optimizerFamily(options)
  const told = {
    ...options,
    firstStep,
    warmupSteps,
    optimizer: { ...optimizer, family, momentum, weightDecay },
  }
  const { seen } = turn.state
  const known = { ...turn.state, runId, options: told, mode, budgetSteps }
  const step = firstStep ?? 0
  const placed = {
    ...known,
    seen: { ...seen, step, origin: firstStep, isOriginSure: firstStep !== null },
    trajectory: { ...known.trajectory, validFromStep: step },
  }
  const signals = initialSignals(lengthOf(placed))
  const base = updated(turn, { ...placed, seen: { ...placed.seen, signals } })
  const outcome = beginning(base.state)
  const phases = [{ phase: phaseOf(outcome.course), fromStep: step, toStep: null }]
  return settle(updated(base, { course: outcome.course, phases }), {
    ...outcome,
    records: [startDraft(base.state, outcome)],
  })
}

/** How a run begins at its present step. */
function beginning(run: Run): Outcome {
  const searching = initialSearch(run)
  if (searching !== null) return beginSearch(run, searching)
  if (!isSteering(run.mode)) return { course: largeCourse(run.seen.step, null) }
  const rate = givenRate(run.options)
  return { course: largeCourse(run.seen.step, rate, rampTo(run, rate, run.seen.step)) }
}

function startDraft(run: Run, { course }: Outcome): Draft {
  const { options, mode } = run
  const isGiven = options.learningRate.initial !== null
  const isRacing = course.kind === 'search'
  const key = !isSteering(mode) ? mode : isRacing ? 'race' : isGiven ? 'given' : 'usual'
  const values = {
    length: lengthOf(run),
    rate: isSteering(mode) ? givenRate(options) : null,
    isGiven: isGiven ? 1 : 0,
    isKept: mode === 'approve' && isGiven ? 1 : 0,
    isShort: armMeasure(options) !== null ? 1 : 0,
    deadline: deadlineStep(run),
    ...(options.tokensPerStep === undefined ? {} : { tokensPerStep: options.tokensPerStep }),
  }
  return { kind: 'start', rule: 'race', reason: `start-${key}`, values }
}

/**
 * The first reports tell where the job's counter began. Where that is not at 0 the plan, laid before anything was known, is
 * laid anew from here; a counter that began at its own first stride is a job that logs each so many steps.
 */
export function relaid(run: Run): Outcome | null {
  const { seen, course } = run
  const origin = originOf(run)
  if (origin === 0 || course.kind === 'done' || course.kind === 'anneal') return null
  const { budgetSteps } = run
  const signals = rebudgetedSignals(seen.signals, lengthOf(run))
  const trajectory = { ...run.trajectory, awaited: null }
  const begins = beginning({ ...run, trajectory, seen: { ...seen, step: origin } })
  return {
    ...begins,
    withdraw: isOfTheCourse,
    change: {
      trajectory,
      ...begins.change,
      // What was laid before the origin was known says nothing of these steps.
      followed: null,
      issued: [],
      seen: { ...seen, ...begins.change?.seen, step: seen.step, signals },
      phases: run.phases.map((span) => ({ ...span, fromStep: Math.max(span.fromStep, origin) })),
    },
    records: [
      { kind: 'hold', rule: 'race', reason: 'origin', values: { origin, end: endOf(run), budgetSteps } },
    ],
  }
}

/**
 * The job has asked for its run again, as a process does that goes on from a checkpoint of its own: its next step may be an
 * earlier one than was reported, and its loss may stand where it stood then.
 */
export function resumed(turn: Turn): Turn {
  const { course, seen } = turn.state
  const change = { seen: { ...seen, isResumed: true, guard: watchedAfresh(seen.guard) } }
  if (course.kind === 'done') return turn
  return settle(beside(turn, branchLeft(turn.state, 'branch-lost')), { course, change })
}
