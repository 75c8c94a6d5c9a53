// The server's loop: parse (http/), append, fold, save, broadcast. Each run has its own line, so that its
// batches are applied in order while other runs go on; a batch is folded in memory, stored in one transaction,
// and only then becomes the run's state. The tuner's state is a value, so a failed write leaves the old one.

import { type ChangeRun, type CreateRun, runOptions } from '../../protocol/schemas.ts'
import type {
  Action,
  Command,
  Decision,
  Plan,
  RunSummary,
  Telemetry,
  TelemetryAnswer,
} from '../../protocol/vocabulary.ts'
import type { Clock } from '../clock.ts'
import { ServerError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { RunQuery, RunRecord, Storage } from '../storage/storage.ts'
import { type ActiveRun, ActiveRuns } from './activeRuns.ts'
import { checkBounds, telemetryAnswer } from './answers.ts'
import { type ApplyContext, applyBatch, beginRun, type RunEvent } from './apply.ts'
import type { ObservationBody } from './observationCodec.ts'
import { observationsOf } from './observationsOf.ts'
import { KeyedQueue } from './queue.ts'
import { runNotFound } from './runErrors.ts'
import { summaryAt } from './runRecord.ts'
import type { RunSeries } from './runSeries.ts'
import { StaleWatch } from './staleWatch.ts'
import type { Tuner } from './tuner.ts'

/** Calls of one run that may wait; beyond it a job is told to come back. */
export const lineLengthMax = 64
const staleWatchRuns = 1_000

/** What a job gets when it creates or resumes a run. */
export type RunAnswer = {
  readonly run: RunSummary
  readonly plan: Plan
  readonly actions: readonly Action[]
  /** The next sequence number per client that has reported; 1 for any other. */
  readonly nextSequence: Readonly<Record<string, number>>
}
export type ControlAnswer = Pick<RunAnswer, 'run' | 'plan' | 'actions'> & {
  readonly decisions: readonly Decision[]
}

export type RunsOptions = {
  readonly storage: Storage
  readonly tuner: Tuner
  readonly clock: Clock
  readonly log: Log
  readonly newRunId: () => string
}

export class Runs {
  private readonly options: RunsOptions
  private readonly line = new KeyedQueue(lineLengthMax)
  private readonly active: ActiveRuns
  private readonly context: ApplyContext
  private readonly staleWatch: StaleWatch
  private readonly listeners = new Set<(event: RunEvent) => void>()

  constructor(options: RunsOptions) {
    this.options = options
    this.active = new ActiveRuns({ ...options, isBusy: (runId) => this.line.isBusy(runId) })
    this.staleWatch = new StaleWatch(options.clock, (runId) => this.announceStale(runId))
    this.context = {
      ...options,
      committed: (run, event) => this.committed(run, event),
      failed: (runId) => this.active.drop(runId),
    }
  }

  /** Watches the runs that were alive when the server stopped. */
  async start(): Promise<void> {
    const { storage, clock } = this.options
    for (const state of ['running', 'waiting'] as const) {
      const { runs } = await storage.listRuns({ state, limit: staleWatchRuns, now: clock.now() })
      for (const record of runs) this.staleWatch.see(record)
    }
  }

  /** Waits for the batches at work. */
  async stop(): Promise<void> {
    this.staleWatch.stop()
    await this.line.idle()
  }

  /** Listeners are called in order, in the run's line, after the write. */
  onEvent(listener: (event: RunEvent) => void): void {
    this.listeners.add(listener)
  }

  private publish(event: RunEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  private committed(run: ActiveRun, event: RunEvent): void {
    this.active.put(run.record.id, run)
    this.staleWatch.see(run.record)
    this.publish(event)
  }

  /** Runs a task when no batch of the run is at work, so that what it reads belongs together. */
  inLine<T>(runId: string, task: () => Promise<T>): Promise<T> {
    const result = this.line.run(runId, task)
    if (result !== undefined) return result
    return Promise.reject(
      new ServerError(
        'run-busy',
        `run ${runId} has ${lineLengthMax} requests waiting, which is the most allowed; send this one again in a second`,
        { retryAfterSeconds: 1 },
      ),
    )
  }

  async create(request: CreateRun): Promise<{ readonly created: boolean; readonly answer: RunAnswer }> {
    const runId = request.runId ?? this.options.newRunId()
    return this.inLine(runId, async () => {
      const stored = await this.options.storage.run(runId)
      if (stored === undefined && request.resume === 'must') throw runNotFound(runId)
      if (stored !== undefined && request.resume === 'never')
        throw new ServerError(
          'run-exists',
          `run "${runId}" exists already; send resume "allow" or "must" to go on with it, or another runId`,
          { errors: [{ pointer: '/runId', detail: 'is taken' }] },
        )
      const run =
        stored === undefined
          ? await beginRun(this.context, runId, runOptions(request, runId))
          : await this.active.get(runId)
      const nextSequence = Object.fromEntries([...run.sequences].map(([id, last]) => [id, last + 1]))
      return { created: stored === undefined, answer: { ...this.answer(run), nextSequence } }
    })
  }

  /** Applies a batch exactly once. @throws ServerError `run-not-found`, `sequence-gap`, `run-busy`, … */
  telemetry(runId: string, telemetry: Telemetry): Promise<TelemetryAnswer> {
    return this.inLine(runId, async () => {
      const run = await this.active.get(runId)
      const { clientId, sequence } = telemetry
      const last = run.sequences.get(clientId) ?? 0
      if (sequence <= last) return this.repeat(run, telemetry, last)
      if (sequence > last + 1)
        throw new ServerError(
          'sequence-gap',
          `sequence of client "${clientId}" must be ${last + 1}, got ${sequence}: batches ${last + 1} to ${sequence - 1} did not arrive; send them first`,
          {
            expectedSequence: last + 1,
            errors: [{ pointer: '/sequence', detail: `must be ${last + 1}` }],
          },
        )
      checkBounds(run, telemetry)
      return this.applyTelemetry(run, telemetry)
    })
  }

  private async repeat(run: ActiveRun, telemetry: Telemetry, last: number): Promise<TelemetryAnswer> {
    const { clientId, sequence } = telemetry
    const client = sequence === last ? await this.options.storage.client(run.record.id, clientId) : undefined
    if (client !== undefined)
      return { ...(JSON.parse(client.lastAnswer) as TelemetryAnswer), duplicate: true }
    return { ...telemetryAnswer(run.state.actions, run.record, [], 0, last + 1), duplicate: true }
  }

  private async applyTelemetry(run: ActiveRun, telemetry: Telemetry): Promise<TelemetryAnswer> {
    const { clientId, sequence } = telemetry
    const steps = telemetry.steps?.step.length ?? 0
    let answer: TelemetryAnswer | undefined
    await applyBatch(this.context, run, observationsOf(telemetry), steps, (actions, record, decisions) => {
      answer = telemetryAnswer(actions, record, decisions, steps, sequence + 1)
      return { client: { clientId, lastSequence: sequence, lastAnswer: JSON.stringify(answer) } }
    })
    run.sequences.set(clientId, sequence)
    return answer!
  }

  private answer(run: ActiveRun): Pick<RunAnswer, 'run' | 'plan' | 'actions'> {
    const { record, state } = run
    return { run: summaryAt(record, this.options.clock.now()), plan: state.plan, actions: state.actions }
  }

  /** A person's wish, folded like everything else. `check` may refuse it. */
  command(
    runId: string,
    command: Command,
    check: (run: RunSummary) => void = () => {},
  ): Promise<ControlAnswer> {
    return this.inLine(runId, async () => {
      const run = await this.active.get(runId)
      check(run.record.summary)
      const decisions = await applyBatch(this.context, run, [{ kind: 'command', command }], null)
      return { ...this.answer(run), decisions }
    })
  }

  /** Name, project and tags are the record's; mode and budget are observations. */
  change(runId: string, changes: ChangeRun, by: string): Promise<RunSummary> {
    return this.inLine(runId, async () => {
      const run = await this.active.get(runId)
      const { reason, mode, budgetSteps } = changes
      const commands: Command[] = []
      if (budgetSteps !== undefined) commands.push({ kind: 'set-budget', budgetSteps, reason, by })
      if (mode !== undefined) commands.push({ kind: 'set-mode', mode, reason, by })
      const bodies = commands.map((command): ObservationBody => ({ kind: 'command', command }))
      if (bodies.length > 0) await applyBatch(this.context, run, bodies, null)
      const { name = run.record.name, project = run.record.project, tags = run.record.tags } = changes
      const record = { ...run.record, name, project, tags }
      await this.options.storage.updateRun(record)
      run.record = record
      this.publish({ kind: 'changed', record })
      return summaryAt(record, this.options.clock.now())
    })
  }

  remove(runId: string): Promise<void> {
    return this.inLine(runId, async () => {
      if (!(await this.options.storage.deleteRun(runId))) throw runNotFound(runId)
      this.active.drop(runId)
      this.staleWatch.forget(runId)
      this.publish({ kind: 'removed', runId })
    })
  }

  /** @throws ServerError `run-not-found`. */
  async record(runId: string): Promise<RunRecord> {
    const record = await this.options.storage.run(runId)
    if (record === undefined) throw runNotFound(runId)
    return record
  }

  async summary(runId: string): Promise<RunSummary> {
    return summaryAt(await this.record(runId), this.options.clock.now())
  }

  async list(query: Omit<RunQuery, 'now'>): Promise<{ runs: readonly RunSummary[]; next: string | null }> {
    const now = this.options.clock.now()
    const { runs, next } = await this.options.storage.listRuns({ ...query, now })
    return { runs: runs.map((record) => summaryAt(record, now)), next }
  }

  /** In the run's line: for readers that need the series and what else belongs to the same moment. */
  async seriesInLine(runId: string): Promise<RunSeries> {
    return (await this.active.get(runId)).series
  }

  private announceStale(runId: string): void {
    const announce = async () => {
      const record = await this.options.storage.run(runId)
      if (record !== undefined) this.publish({ kind: 'changed', record })
    }
    this.inLine(runId, announce).catch((error) =>
      this.options.log('warn', 'a stale run could not be announced', { runId, error }),
    )
  }
}
