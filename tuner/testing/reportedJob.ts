// A job that is all reports: it trains nothing, and says of each step what a stream of numbers says. For the rest it is
// an honest client of the wire: it follows the plan that it last heard, names it, obeys the tripwire, waits for answers
// or has them late, does and acknowledges actions, may be cut off for a while, and may come back at an earlier step.
// So it shows what the tuner makes of a job that it cannot change, such as those that people tell of. No clock, no
// network: a batch is folded when it is sent.

import { evaluatePlan, tripwireTrips } from '../../protocol/plan.ts'
import type {
  Acknowledgement,
  Action,
  Command,
  Decision,
  Observation,
  Plan,
  Probe,
} from '../../protocol/vocabulary.ts'
import { initialState, summaryOf, type TunerState, type TunerSummary, tune } from '../index.ts'
import { type Batch, type Entry, entriesOf, type ReportedRow, type Row } from './reportedBatch.ts'
import {
  type ReportedJobOptions,
  reportedDefaults,
  runOptionsOf,
  type Settled,
} from './reportedJobOptions.ts'

/** A decision, and how many rows had been reported when it was heard of. */
export type Made = { readonly decision: Decision; readonly rows: number }
/** A plan as it was published: after how many rows, and after which step had been folded; null = before the first. */
export type Published = { readonly plan: Plan; readonly rows: number; readonly afterStep: number | null }
/** Held-out losses of the present weights, and of averaged ones. */
export type Scores = { readonly raw: number; readonly averaged?: number | undefined }
/** A step as it was taken: the plan's rate, and the one that was applied. */
export type Taken = { readonly step: number; readonly planned: number; readonly applied: number }
type Body =
  | Entry
  | Pick<Extract<Observation, { kind: 'start' }>, 'kind' | 'runId' | 'options'>
  | { kind: 'command'; command: Command }
  | { kind: 'resumed' }
type Answer = { readonly plan: Plan; readonly actions: readonly Action[] }

export class ReportedJob {
  readonly log: Observation[] = []
  readonly made: Made[] = []
  readonly plans: Published[] = []
  readonly taken: Taken[] = []
  /** Steps after which the tripwire tripped. */
  readonly trips: number[] = []
  /** Restores that were carried out. */
  restores = 0
  state: TunerState = initialState()
  plan: Plan = this.state.plan
  isFinished = false
  isCutOff = false
  readonly #settled: Settled
  #rows: ReportedRow[] = []
  #probes: Probe[] = []
  #acknowledgements: Acknowledgement[] = []
  #actions: readonly Action[] = []
  #done = new Set<string>()
  #outbox: Batch[] = []
  #late: { readonly at: number; readonly answer: Answer }[] = []
  #smoothed: number | null = null
  #nonFiniteCount = 0
  #isTripped = false
  #rowCount = 0
  #foldedStep: number | null = null

  constructor(options: ReportedJobOptions) {
    this.#settled = { ...reportedDefaults, ...options }
    this.#fold({ kind: 'start', runId: 'reported', options: runOptionsOf(this.#settled) })
    this.#hear(this.state)
  }

  get decisions(): readonly Decision[] {
    return this.made.map(({ decision }) => decision)
  }

  get summary(): TunerSummary {
    return summaryOf(this.state)
  }

  /** The rate of a step as the job would take it now. */
  rateAt(step: number): number {
    const planned = evaluatePlan(this.plan, step).learningRate
    const own = this.#settled.ownRate(step, planned)
    const then = this.#isTripped ? this.plan.tripwire?.thenLearningRate : undefined
    return then === undefined ? own : Math.min(own, then)
  }

  /** What comes before a step, whether one follows or the run ends there. */
  beforeStep(step: number): void {
    this.#hearDue()
    if (this.#settled.waits && this.plan.awaitAtStep === step) this.#wait()
    this.#actAllDue(step)
  }

  /** Takes a step and reports it; answers the rate that was applied. */
  step(step: number, row: Row): number {
    this.beforeStep(step)
    const applied = this.rateAt(step)
    this.taken.push({ step, planned: evaluatePlan(this.plan, step).learningRate, applied })
    const rate = this.#settled.reportsRate ? { learningRate: applied } : {}
    this.#rows.push({ step, ...rate, ...row })
    this.#watch(step, row)
    if (this.#rows.length >= this.#settled.batchRows) this.flush()
    return applied
  }

  /** A valley probe of the held-out set; `step` is how many steps had been taken. */
  probe(step: number, scores: Scores): void {
    const { raw, averaged } = scores
    this.addProbe({
      kind: 'valley',
      step,
      set: 'held-out',
      examples: 512,
      seconds: 0.05,
      raw: { loss: raw },
      averaged: averaged === undefined ? [] : [{ windowSteps: 20, loss: averaged }],
    })
  }

  addProbe(probe: Probe): void {
    this.#probes.push(probe)
  }

  /** Asks for the run again, as a process does that goes on from its own checkpoint, and begins to watch anew. */
  resume(): void {
    this.#fold({ kind: 'resumed' })
    this.#smoothed = null
    this.#nonFiniteCount = 0
    this.#hear(this.state)
  }

  command(command: Command): void {
    this.#fold({ kind: 'command', command })
  }

  /** Sends what there is, also if that is nothing: then the answer is all that comes of it. */
  flush(): void {
    const { sendsPlanVersion, lagSteps } = this.#settled
    this.#outbox.push({
      rows: this.#rows,
      probes: this.#probes,
      acknowledgements: this.#acknowledgements,
      planVersion: sendsPlanVersion ? this.plan.version : null,
    })
    this.#rows = []
    this.#probes = []
    this.#acknowledgements = []
    if (this.isCutOff) return
    for (const batch of this.#outbox) for (const entry of entriesOf(batch)) this.#fold(entry)
    this.#outbox = []
    if (lagSteps === 0) this.#hear(this.state)
    else this.#late.push({ at: this.taken.length + lagSteps, answer: this.state })
  }

  #fold(body: Body): void {
    const number = this.log.length + 1
    const observation = { ...body, number, receivedAt: '2026-01-01T00:00:00.000Z' } as Observation
    this.log.push(observation)
    const { state, decisions } = tune(this.state, observation)
    if (observation.kind === 'samples') {
      this.#rowCount += observation.columns.step.length
      this.#foldedStep = observation.columns.step.at(-1) ?? this.#foldedStep
    }
    const rows = this.#rowCount
    if (state.plan !== this.state.plan)
      this.plans.push({ plan: state.plan, rows, afterStep: this.#foldedStep })
    this.state = state
    for (const decision of decisions) this.made.push({ decision, rows })
  }

  #hearDue(): void {
    while (this.#late.length > 0 && this.#late[0]!.at <= this.taken.length) {
      const { answer } = this.#late.shift()!
      // Steps that followed another plan are sent under its name.
      if (this.#rows.length > 0 && answer.plan.version > this.plan.version) this.flush()
      this.#hear(answer)
    }
  }

  #wait(): void {
    this.flush()
    this.#late = []
    if (!this.isCutOff) this.#hear(this.state)
  }

  #hear({ plan, actions }: Answer): void {
    this.#isTripped = false
    if (plan.version >= this.plan.version) this.plan = plan
    this.#actions = actions
    if (this.#settled.acts === 'at-once') this.#actAllDue(Number.POSITIVE_INFINITY)
  }

  #actAllDue(step: number): void {
    for (const action of this.#actions)
      if (action.atStep <= step && !this.#done.has(action.id)) this.#act(action)
  }

  #act(action: Action): void {
    const { id, kind, atStep } = action
    this.#done.add(id)
    const status = this.#settled.answers[kind] ?? (kind === 'probe' ? 'unsupported' : 'done')
    if (kind === 'finish') this.isFinished = true
    if (kind === 'restore' && status === 'done') this.restores++
    if (status === 'done') this.#settled.does(action)
    const next = (this.taken.at(-1)?.step ?? -1) + 1
    this.#acknowledgements.push({ actionId: id, status, step: Math.max(next, atStep), detail: '' })
  }

  /** The wire trips on what the job itself knows: its loss smoothed over ten steps, and the norm of its gradient. */
  #watch(step: number, row: Row): void {
    // A step that mixed precision left out says nothing.
    if (row.skipped === 1) return
    const { loss, gradientNormSquared } = row
    if (loss !== null && Number.isFinite(loss))
      this.#smoothed = this.#smoothed === null ? loss : this.#smoothed + (loss - this.#smoothed) / 10
    if (loss !== null) this.#nonFiniteCount = Number.isFinite(loss) ? 0 : this.#nonFiniteCount + 1
    const trips = tripwireTrips(this.plan.tripwire, {
      lossSmoothed: this.#smoothed,
      gradientNorm: gradientNormSquared == null ? null : Math.sqrt(gradientNormSquared),
      nonFiniteCount: this.#nonFiniteCount,
    })
    if (!trips || this.#isTripped) return
    this.#isTripped = true
    this.trips.push(step)
    this.flush()
  }
}
