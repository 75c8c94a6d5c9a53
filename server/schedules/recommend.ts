// A schedule for who reports to nobody, by the tuner's own rules: it is told of a run with these options and what such a
// run would have reported, and its plan is the answer. A project's finished runs give the rate that such a run begins
// with, and the step at which it is told to anneal. Nothing is stored.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { evaluatePlan } from '../../protocol/plan.ts'
import {
  createRunSchema,
  type RecommendRequest,
  runOptions,
  type ScheduleRecommendation,
} from '../../protocol/schemas.ts'
import type { Decision, Observation, Plan, RunOptions, Segment } from '../../protocol/vocabulary.ts'
import { isoTime } from '../clock.ts'
import { foldObservations } from '../runs/fold.ts'
import type { FoldState, Tuner } from '../runs/tuner.ts'
import type { Storage } from '../storage/storage.ts'
import { learnedFrom } from './learned.ts'
import { offeredBy, reportedBy } from './reported.ts'
import { basisOf, learnedRunsMin, learnedSentence, whySentence } from './words.ts'

const runId = 'recommended'
const observationsPerTurn = 16

type Context = { readonly storage: Storage; readonly tuner: Tuner; readonly now: number }

function optionsOf(request: RecommendRequest, rate: number | null): RunOptions {
  const { budgetSteps, firstStep, warmupSteps, optimizer, learningRate } = request
  const created = {
    budgetSteps,
    firstStep,
    warmupSteps,
    optimizer,
    learningRate,
    capabilities: offeredBy(request),
  }
  const options = runOptions(createRunSchema.parse(created), runId)
  const { min, max } = learningRate
  if (rate === null) return options
  const initial = Math.min(Math.max(rate, min ?? 0), max ?? rate)
  return { ...options, learningRate: { ...learningRate, initial } }
}

/** Folds as a run that begins so and reports this, and lets the server breathe. */
async function folded(
  { tuner, now }: Context,
  options: RunOptions,
  more: (head: { receivedAt: string }) => readonly Observation[],
): Promise<{ readonly state: FoldState; readonly last: Decision | undefined }> {
  const head = { receivedAt: isoTime(now) }
  const start: Observation = { ...head, number: 1, kind: 'start', runId, options }
  const log = [start, ...more(head)]
  let state = tuner.initialState()
  let last: Decision | undefined
  for (let from = 0; from < log.length; from += observationsPerTurn) {
    const page = foldObservations(tuner, state, log.slice(from, from + observationsPerTurn))
    state = page.state
    last = page.decisions.at(-1) ?? last
    await nextTurn()
  }
  return { state, last }
}

/** The same run as it goes on at a step where it is told to anneal. */
async function annealFrom(
  context: Context,
  options: RunOptions,
  step: number,
  end: number,
): Promise<readonly Segment[]> {
  const late = { ...options, firstStep: step, budgetSteps: end, warmupSteps: 0 }
  const command = { kind: 'switch-now', reason: '', by: '' } as const
  const told = await folded(context, late, (head) => [{ ...head, number: 2, kind: 'command', command }])
  return told.state.plan.segments
}

/** The plan with its anneal from a share of the steps on. */
async function switchedAt(context: Context, options: RunOptions, plan: Plan, share: number): Promise<Plan> {
  const large = plan.segments.filter(({ phase }) => phase !== 'anneal')
  const last = large.at(-1)
  const end = plan.segments.at(-1)!.toStep
  if (last === undefined) return plan
  const origin = options.firstStep ?? 0
  const wanted = origin + Math.round(share * (end - origin))
  const step = Math.min(Math.max(wanted, last.fromStep + 1, 2), end - 1)
  const anneal = await annealFrom(context, options, step, end)
  return { ...plan, segments: [...large.slice(0, -1), { ...last, toStep: step }, ...anneal] }
}

const hasReports = ({ steps, probes = [] }: RecommendRequest) => steps !== undefined || probes.length > 0

/**
 * What the tuner would tell such a run.
 * @throws ServerError from the storage, where a project is named.
 */
export async function recommendSchedule(
  context: Context,
  request: RecommendRequest,
): Promise<ScheduleRecommendation> {
  const { storage, tuner, now } = context
  const { project, learningRate: given } = request
  const { family } = optionsOf(request, null).optimizer
  const learned = project === undefined ? null : await learnedFrom(storage, project, family, now)
  const options = optionsOf(request, given.initial === null ? (learned?.learningRate ?? null) : null)
  const { state, last } = await folded(context, options, (head) => reportedBy(request, head))
  const { regime, phase, headline, step } = tuner.summaryOf(state)
  // What this job has measured says more of its switch than other runs do.
  const share = hasReports(request) ? null : (learned?.switchShare ?? null)
  const { version, segments } =
    share === null ? state.plan : await switchedAt(context, options, state.plan, share)
  const plan = { version, segments }
  const level = regime.index !== null ? 'measured' : (learned?.runs.length ?? 0) > 0 ? 'learned' : 'assumed'
  const { learningRate, momentum } = evaluatePlan(plan, step)
  const told = { request, learned, options, plan, level, share } as const
  return {
    ...{ step, learningRate, momentum, plan, phase, regime },
    confidence: { level, probability: last?.test?.probability ?? null, why: whySentence(told) },
    reason: share === null ? headline : learnedSentence(told),
    status:
      level === 'measured' || (learned?.runs.length ?? 0) >= learnedRunsMin
        ? 'recommended'
        : 'insufficient-evidence',
    basis: basisOf(told),
    learned,
  }
}
