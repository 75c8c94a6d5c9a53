// The server's loop: parse (http/), append, fold, save, broadcast. Each run has its own line, so that its
// batches are applied in order while other runs go on; a batch is folded in memory, stored in one transaction,
// and only then becomes the run's state. The tuner's state is a value, so a failed write leaves the old one.

import { type ChangeRun, type CreateRun, type RunListQuery, runOptions } from '../../protocol/schemas.ts'
import type {
  Command,
  ControlAnswer,
  Decision,
  RunAnswer,
  RunList,
  RunSummary,
  Telemetry,
  TelemetryAnswer,
} from '../../protocol/vocabulary.ts'
import type { Clock } from '../clock.ts'
import { ServerError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { isDerivedDamage } from '../storage/damage.ts'
import { isMoved } from '../storage/fence.ts'
import type { RunRecord, Storage } from '../storage/storage.ts'
import type { Listeners } from '../webhooks/webhooks.ts'
import { type ActiveRun, ActiveRuns } from './activeRuns.ts'
import { checkBounds, telemetryAnswer } from './answers.ts'
import { type ApplyContext, beginRun, foldBatch, type RunEvent, saveBatch } from './apply.ts'
import { budgetCommands } from './budgetCommands.ts'
import { listRuns } from './listRuns.ts'
import type { ObservationBody } from './observationCodec.ts'
import { observationsOf } from './observationsOf.ts'
import { KeyedQueue } from './queue.ts'
import { isEnded, removedNotFound, restoreInstead, runExists, runNotFound } from './runErrors.ts'
import { summaryAt } from './runRecord.ts'
import type { RunSeries } from './runSeries.ts'
import { checkRepeat, lastSequence, remember, sequenceGap } from './sequences.ts'
import { Silence } from './silence.ts'
import type { Tuner } from './tuner.ts'

/** Calls of one run that may wait; beyond it a job is told to come back. */
export const lineLengthMax = 64
/** A change is begun so often, where other servers write to the run at the same time. */
const attemptsMax = 5

export type RunsOptions = {
  readonly storage: Storage
  readonly tuner: Tuner
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'folded' | 'stored'>
  readonly webhooks: Listeners
  readonly newRunId: () => string
  /** Whether other servers write to the same storage; by default where it can be shared. */
  readonly isShared?: boolean
  /** Whether this server is the one that cares for something, where there are several. */
  readonly owns?: (key: string) => boolean
  /** @see ActiveRunsOptions.mayRefold */
  readonly mayRefold?: () => boolean
  /** What runs may take of the memory, together; by default `activeBytesMax`. */
  readonly activeBytesMax?: number | undefined
}

/** @param isOwn false = another server did it, and this one has learned of it */
type Listener = (event: RunEvent, isOwn: boolean) => void

const observed = (command: Command): ObservationBody => ({ kind: 'command', command })

export class Runs {
  private readonly options: RunsOptions
  private readonly line = new KeyedQueue(lineLengthMax)
  private readonly active: ActiveRuns
  private readonly context: ApplyContext
  private readonly silence: Silence
  private readonly listeners = new Set<Listener>()

  constructor(options: RunsOptions) {
    this.options = options
    const { isShared = options.storage.replicas !== undefined, mayRefold = () => true } = options
    this.active = new ActiveRuns({
      ...options,
      isShared,
      mayRefold,
      isBusy: (runId) => this.line.isBusy(runId),
      caughtUp: (event) => this.publish(event, false),
    })
    this.silence = new Silence({
      ...options,
      owns: options.owns ?? (() => true),
      inLine: (runId, task) => this.inLine(runId, task),
      changed: (record) => this.publish({ kind: 'changed', record }),
    })
    this.context = {
      ...options,
      committed: (run, event) => this.committed(run, event),
      failed: (runId) => this.active.drop(runId),
    }
  }

  /** Watches the runs that are alive: those that were when the server stopped, or another one did. */
  start(): Promise<void> {
    return this.silence.watchAlive()
  }

  /** Tells of runs that fell silent while nobody watched them. To be called once it is known who listens. */
  tellStale(): Promise<void> {
    return this.silence.tellMissed()
  }

  /** Waits for the batches at work. */
  async stop(): Promise<void> {
    await this.silence.stop()
    await this.line.idle()
  }

  /** Listeners are called in order, in the run's line, after the write. */
  onEvent(listener: Listener): void {
    this.listeners.add(listener)
  }

  private publish(event: RunEvent, isOwn = true): void {
    for (const listener of this.listeners) listener(event, isOwn)
  }

  private committed(run: ActiveRun, event: RunEvent): void {
    this.active.put(run.record.id, run)
    this.silence.see(run.record)
    this.publish(event)
  }

  /** Requests in the lines of all runs, those at work among them. */
  get waiting(): number {
    return this.line.size
  }

  /** Runs in memory. */
  get activeCount(): number {
    return this.active.size
  }

  /** How many runs in memory are in each phase. */
  get phases(): ReadonlyMap<string, number> {
    return this.active.phases()
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

  /** A change of a run, in its line: begun anew where another server has written to it meanwhile, or a chunk is damaged. */
  private changing<T>(runId: string, change: () => Promise<T>): Promise<T> {
    return this.inLine(runId, async () => {
      for (let attempt = 1; ; attempt++)
        try {
          return await change()
        } catch (error) {
          if (attempt === attemptsMax) throw error
          if (isDerivedDamage(error)) this.active.break(runId)
          else if (isMoved(error)) this.active.drop(runId)
          else throw error
        }
    })
  }

  /**
   * @param by who would change the budget of a run that is resumed
   * @param within the only project whose runs may be resumed; null = all may
   */
  async create(
    request: CreateRun,
    by: string,
    within: string | null = null,
  ): Promise<{ readonly created: boolean; readonly answer: RunAnswer }> {
    const runId = request.runId ?? this.options.newRunId()
    return this.changing(runId, async () => {
      const stored = await this.options.storage.run(runId)
      if (stored === undefined && request.resume === 'must') throw runNotFound(runId)
      const isForeign = stored !== undefined && within !== null && stored.project !== within
      if (isForeign) throw runExists(runId, '/runId', 'it is of another project: send another runId')
      if (stored !== undefined && request.resume === 'never')
        throw runExists(runId, '/runId', 'send resume "allow" or "must" to go on with it, or another runId')
      const run =
        stored === undefined
          ? await beginRun(this.context, runId, runOptions(request, runId))
          : await this.resumed(runId, request, by)
      const nextSequence = Object.fromEntries([...run.sequences].map(([id, last]) => [id, last + 1]))
      return { created: stored === undefined, answer: { ...this.answer(run), nextSequence } }
    })
  }

  /** A run that goes on hears of it, as its next steps may be earlier ones; one that has ended is only read. */
  private async resumed(runId: string, { budgetSteps }: CreateRun, by: string): Promise<ActiveRun> {
    const run = await this.active.get(runId)
    const { summary } = run.record
    const commands = budgetCommands(summary, budgetSteps, 'resumed with another budget', by)
    if (!isEnded(summary)) await this.apply(run, [{ kind: 'resumed' }, ...commands.map(observed)])
    return run
  }

  /** Folds and stores observations that did not come as telemetry; none change nothing. */
  private async apply(run: ActiveRun, bodies: readonly ObservationBody[]): Promise<readonly Decision[]> {
    if (bodies.length === 0) return []
    const batch = foldBatch(this.context, run, bodies)
    await saveBatch(this.context, run, batch)
    return batch.decisions
  }

  /**
   * Applies a batch exactly once.
   * @throws ServerError `run-not-found`, `sequence-gap`, `sequence-reused`, `run-busy`, …
   */
  telemetry(runId: string, telemetry: Telemetry): Promise<TelemetryAnswer> {
    return this.changing(runId, async () => {
      const { clientId, sequence } = telemetry
      const { storage } = this.options
      let run = await this.active.known(runId)
      let last = await lastSequence(storage, run, clientId)
      if (sequence !== last + 1) {
        run = await this.active.get(runId)
        // An empty batch that another server took leaves the log as it was, and so what is in memory.
        last = await storage.lastSequence(runId, clientId)
      }
      if (sequence <= last) return this.repeat(run, telemetry, last)
      if (sequence > last + 1) throw sequenceGap(telemetry, last)
      checkBounds(run, telemetry)
      const steps = telemetry.steps?.step.length ?? 0
      const batch = foldBatch(this.context, run, observationsOf(telemetry), steps)
      const { state, record, decisions } = batch
      const answer = telemetryAnswer(state.actions, record, decisions, steps, sequence + 1)
      await saveBatch(this.context, run, batch, {
        clientId,
        lastSequence: sequence,
        lastAnswer: JSON.stringify(answer),
      })
      remember(run, clientId, sequence)
      return answer
    })
  }

  private async repeat(run: ActiveRun, telemetry: Telemetry, last: number): Promise<TelemetryAnswer> {
    const { storage } = this.options
    const { clientId, sequence } = telemetry
    const { id } = run.record
    checkRepeat(telemetry, await storage.sent(id, clientId, sequence), last)
    const client = sequence === last ? await storage.client(id, clientId) : undefined
    if (client !== undefined)
      return { ...(JSON.parse(client.lastAnswer) as TelemetryAnswer), duplicate: true }
    return { ...telemetryAnswer(run.state.actions, run.record, [], 0, last + 1), duplicate: true }
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
    return this.changing(runId, async () => {
      const run = await this.active.get(runId)
      check(run.record.summary)
      const decisions = await this.apply(run, [observed(command)])
      return { ...this.answer(run), decisions }
    })
  }

  /** Name, project and tags are the record's; mode and budget are observations. */
  change(runId: string, changes: ChangeRun, by: string): Promise<RunSummary> {
    return this.changing(runId, async () => {
      const run = await this.active.get(runId)
      const { reason, mode, budgetSteps } = changes
      const commands = budgetCommands(run.record.summary, budgetSteps, reason, by)
      if (mode !== undefined) commands.push({ kind: 'set-mode', mode, reason, by })
      // First, as it is the same however often it is begun.
      const { name = run.record.name, project = run.record.project, tags = run.record.tags } = changes
      const record = { ...run.record, name, project, tags }
      await this.options.storage.updateRun(record).catch((error) => {
        this.active.drop(runId)
        throw error
      })
      run.record = record
      this.publish({ kind: 'changed', record })
      await this.apply(run, commands.map(observed))
      return summaryAt(run.record, this.options.clock.now())
    })
  }

  /** So that it can be restored, or for good. @throws ServerError `run-not-found`. */
  remove(runId: string, forGood: boolean): Promise<void> {
    return this.inLine(runId, async () => {
      const { storage, clock } = this.options
      const stored = await storage.run(runId)
      if (stored === undefined) throw runNotFound(runId)
      const isRemoved = forGood ? storage.deleteRun(runId) : storage.removeRun(runId, clock.now())
      if (!(await isRemoved)) throw runNotFound(runId)
      this.active.forget(runId)
      this.silence.forget(runId)
      this.publish({ kind: 'removed', runId, project: stored.project })
    })
  }

  /**
   * Of several deleted runs of that id the one that was deleted last, or at `removedAt`.
   * @param within the only project whose runs may be restored; null = all may
   * @throws ServerError `run-exists`, `run-not-found`.
   */
  restore(runId: string, within: string | null = null, removedAt?: number): Promise<RunSummary> {
    return this.inLine(runId, async () => {
      const { storage, clock } = this.options
      const stored = await storage.run(runId)
      if (stored !== undefined && within !== null && stored.project !== within) throw runNotFound(runId)
      if (stored !== undefined) throw runExists(runId, '', restoreInstead)
      const record = await storage.restoreRun(runId, { within: within ?? undefined, removedAt })
      if (record === undefined)
        throw removedAt === undefined ? runNotFound(runId) : removedNotFound(runId, removedAt)
      await this.silence.came(record)
      return summaryAt(record, clock.now())
    })
  }

  /** A run that came as a whole. `store` makes it one, or resolves to false if there is one of that id. */
  adopt(record: RunRecord, store: () => Promise<boolean>): Promise<boolean> {
    return this.inLine(record.id, async () => {
      if (!(await store())) return false
      await this.silence.came(record)
      return true
    })
  }

  /**
   * The record and, with it, all that is stored of the run, as this version of the tuner makes them: a run that
   * another version folded is refolded first. Not to be called in the run's line.
   * @throws ServerError `run-not-found`.
   */
  async record(runId: string): Promise<RunRecord> {
    const { storage, tuner } = this.options
    const record = await storage.run(runId)
    if (record === undefined) throw runNotFound(runId)
    if (record.tunerVersion === tuner.version || this.options.mayRefold?.() === false) return record
    return this.inLine(runId, async () => (await this.active.get(runId)).record)
  }

  async summary(runId: string): Promise<RunSummary> {
    return summaryAt(await this.record(runId), this.options.clock.now())
  }

  /** @param within the only project that there is for who asks; null = all are */
  list(query: RunListQuery, within: string | null = null): Promise<RunList> {
    return listRuns(this.options.storage, query, this.options.clock.now(), within ?? undefined)
  }

  /** In the run's line: for readers of the series, and of what else belongs to the same moment. */
  openInLine(runId: string): Promise<{ readonly record: RunRecord; readonly series: RunSeries }> {
    return this.active.get(runId)
  }

  /**
   * Makes anew what follows from the run's log, where somebody met damage in it.
   * @param series those that were read: if others are in memory by now, it was done already
   */
  mend(runId: string, series: RunSeries): Promise<unknown> {
    return this.changing(runId, async () => {
      if (this.active.holds(runId, series)) this.active.break(runId)
      return this.active.get(runId)
    })
  }

  /** How often that was done for any run: rows of readings are others then. */
  get mends(): number {
    return this.active.mends
  }

  /** Brings a run up to what another server has written, and tells whoever watches it here. */
  catchUp(runId: string): Promise<unknown> {
    return this.inLine(runId, () => this.active.get(runId))
  }
}
