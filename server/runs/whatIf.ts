// What a run would have been told under other settings: its log is folded again by the same tuner from a start with those
// settings, beside the decisions that were made. Nothing is written. What the job did stays what it did: the rates of the
// log, the probes it took, its answers to the actions that it was asked for.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { z } from 'zod'
import {
  type DecisionHead,
  learningRateSchema,
  limits,
  type WhatIfAnswer,
  type WhatIfRequest,
} from '../../protocol/schemas.ts'
import type { Decision, Observation, RunOptions } from '../../protocol/vocabulary.ts'
import { ServerError } from '../errors.ts'
import { parse } from '../http/validate.ts'
import type { RunRecord, Storage } from '../storage/storage.ts'
import { foldObservations, storedDecision, storedDecisions, storedObservations } from './fold.ts'
import { decodeObservation } from './observationCodec.ts'
import { nextRecord, summaryAt } from './runRecord.ts'
import type { FoldState, Tuner } from './tuner.ts'

/** Pairs of decisions in one answer. */
export const pairsMax = 1_000

export const whatIfNote =
  'The log stays what it is: rates that were applied, probes that were taken and the job’s answers to actions are those of the real run; only what would have been decided from them is new.'

export type WhatIfContext = {
  readonly storage: Storage
  readonly tuner: Tuner
  readonly now: number
  /** Ends the work early. */
  readonly signal: AbortSignal
}

/**
 * The options under which the log is folded.
 * @throws ServerError `invalid-request`.
 */
export function changedOptions(options: RunOptions, request: WhatIfRequest): RunOptions {
  const { mode, budgetSteps, capabilities, learningRate, warmupSteps } = request
  for (const [i, wanted] of (capabilities ?? []).entries()) {
    if (options.capabilities.includes(wanted)) continue
    const offered = options.capabilities.length === 0 ? 'none' : options.capabilities.join(', ')
    const detail = `must be one that the run has (${offered}), got "${wanted}": the log holds nothing of another`
    throw new ServerError('invalid-request', `/capabilities/${i} ${detail}`, {
      errors: [{ pointer: `/capabilities/${i}`, detail }],
    })
  }
  const rates = { ...options.learningRate, ...learningRate }
  return {
    ...options,
    mode: mode ?? options.mode,
    budgetSteps: budgetSteps === undefined ? options.budgetSteps : budgetSteps,
    capabilities: capabilities ?? options.capabilities,
    learningRate: parse(z.object({ learningRate: learningRateSchema }), { learningRate: rates }).learningRate,
    warmupSteps: warmupSteps === undefined ? options.warmupSteps : warmupSteps,
  }
}

/** Whether a command of the log sets what the request sets from the start. */
const isReplaced = (observation: Observation, { mode, budgetSteps }: WhatIfRequest): boolean =>
  observation.kind === 'command' &&
  ((observation.command.kind === 'set-mode' && mode !== undefined) ||
    (observation.command.kind === 'set-budget' && budgetSteps !== undefined))

type Samples = Extract<Observation, { kind: 'samples' }>

/** The first samples of a batch. */
function firstOf({ columns, ...rest }: Samples, count: number): Samples {
  const cut = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.slice(0, count)
      : Object.fromEntries(Object.entries(value as object).map(([name, inner]) => [name, cut(inner)]))
  return { ...rest, columns: cut(columns) as Samples['columns'] }
}

/** What of an observation was known before a step was taken; undefined = nothing, as it came later. Commands have no step of their own. */
function knownAt(observation: Observation, untilStep: number | undefined): Observation | undefined {
  if (untilStep === undefined) return observation
  switch (observation.kind) {
    case 'samples': {
      const later = observation.columns.step.findIndex((step) => step >= untilStep)
      return later < 0 ? observation : later === 0 ? undefined : firstOf(observation, later)
    }
    case 'probe':
      return observation.probe.step > untilStep ? undefined : observation
    case 'acknowledgement':
      return observation.acknowledgement.step > untilStep ? undefined : observation
    default:
      return observation
  }
}

/** The log as it would have been. */
const changed = (observation: Observation, request: WhatIfRequest): Observation =>
  observation.kind === 'start'
    ? { ...observation, options: changedOptions(observation.options, request) }
    : observation

const headOf = ({ step, kind, status, summary }: Decision): DecisionHead => ({ step, kind, status, summary })

/** The two courses side by side, as far as one answer holds them. */
class Comparison {
  readonly pairs: { number: number; real: DecisionHead | null; whatIf: DecisionHead | null }[] = []
  made = 0
  differsFrom: number | null = null
  private readonly real: AsyncGenerator<string, void, void>

  /** @param real decisions as stored, in order */
  constructor(real: AsyncGenerator<string, void, void>) {
    this.real = real
  }

  async add(decision: Decision): Promise<void> {
    this.made++
    const { value } = await this.real.next()
    this.note(this.made, value ?? null, decision)
  }

  /** What is stored beyond the decisions that were made here. */
  async rest(count: number): Promise<void> {
    for (let number = this.made + 1; number <= count; number++)
      this.note(number, (await this.real.next()).value ?? null, null)
  }

  private note(number: number, real: string | null, whatIf: Decision | null): void {
    if (whatIf === null || real !== storedDecision(whatIf).body) this.differsFrom ??= number
    if (this.pairs.length >= pairsMax) return
    const head = real === null ? null : headOf(JSON.parse(real) as Decision)
    this.pairs.push({ number, real: head, whatIf: whatIf === null ? null : headOf(whatIf) })
  }
}

/** @throws ServerError `run-too-long`, `invalid-request`, `run-not-found` where it is deleted meanwhile. */
export async function whatIf(
  { storage, tuner, now, signal }: WhatIfContext,
  record: RunRecord,
  request: WhatIfRequest,
): Promise<WhatIfAnswer> {
  const { id, observationCount, decisionCount } = record
  if (observationCount > limits.whatIfObservationsMax)
    throw new ServerError(
      'run-too-long',
      `run "${id}" has ${observationCount} observations, and at most ${limits.whatIfObservationsMax} are folded for an answer: export it, import it elsewhere, and create it under those settings`,
    )
  const comparison = new Comparison(storedDecisions(storage, id, decisionCount))
  let state: FoldState = tuner.initialState()
  let commandsLeftOut = 0
  for await (const stored of storedObservations(storage, id, observationCount)) {
    const observation = knownAt(decodeObservation(stored), request.untilStep)
    if (observation === undefined) break
    if (isReplaced(observation, request)) {
      commandsLeftOut++
      continue
    }
    const folded = foldObservations(tuner, state, [changed(observation, request)])
    state = folded.state
    for (const decision of folded.decisions) await comparison.add(decision)
    await nextTurn()
    signal.throwIfAborted()
  }
  if (request.untilStep === undefined) await comparison.rest(decisionCount)
  const { pairs: decisions, made, differsFrom } = comparison
  const counts = { observations: 0, decisions: made - decisionCount }
  return {
    runId: id,
    run: summaryAt(
      nextRecord(record, tuner, state, counts, { now, steps: null }, record.summary.heldOut),
      now,
    ),
    plan: { real: record.summary.plan, whatIf: state.plan },
    decisions,
    decisionCount: { real: decisionCount, whatIf: made },
    differsFrom,
    observations: observationCount,
    commandsLeftOut,
    note: whatIfNote,
  }
}
