// Reports a run to the server without ever holding up or breaking the training loop. What is reported is sealed
// into numbered messages and sent in order, one at a time, in the background; the first message creates the run.
// While the server cannot be reached, messages go to the spool on disk and are sent in order when it is back.
// A reply 409 says which number the server expects: the message is numbered so and sent again. Any other refusal
// (4xx) would come again for ever, so the reporter says it once and stops; training follows its plan.

import { setTimeout } from 'node:timers/promises'
import type { Acknowledgement, Probe } from '../../protocol/vocabulary.ts'
import type { StepReading } from '../signals.ts'
import { createBatchBuilder } from './batch.ts'
import { createMessageQueue, type Message, type MessageQueue } from './messageQueue.ts'
import { type PlanAnswer, parsePlanAnswer, parseStart, type StartAnswer } from './replies.ts'
import type { Spool } from './spool.ts'
import type { Reply, Transport } from './transport.ts'

/** Steps per message, and milliseconds after which a message is sealed with fewer. */
export const batchStepsMax = 50
export const batchMs = 500
/** Messages that wait in memory before the spool takes them. */
export const memoryMessagesMax = 32
const backoffMsFirst = 250
const backoffMsMax = 30_000
/** Longest pause between tries once training is over and only the reports are left. */
const drainBackoffMsMax = 500

export type ReporterOptions = {
  readonly transport: Transport
  readonly spool: Spool
  readonly runId: string
  readonly clientId: string
  /** Body of POST /runs; must carry the run's id, so that creating it twice does no harm. */
  readonly create: Readonly<Record<string, unknown>>
  onAnswer(answer: PlanAnswer): void
  /** A sentence for the person who watches the trainer. */
  onNotice(sentence: string): void
  /** Milliseconds of a monotonic clock, waiting (until the signal ends it), and chance: injected by tests. */
  readonly now?: () => number
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
  readonly random?: () => number
}

export type ReporterStatus = 'online' | 'offline' | 'refused'

export type Reporter = {
  readonly status: ReporterStatus
  /** Steps that did not fit into the full spool. */
  readonly droppedSteps: number
  /** Whether anything sealed is not answered yet, and where it waits once the reporter is closed. */
  readonly hasUnsent: boolean
  readonly spoolFile: string
  /** Creates the run; waits for the answer for at most so many milliseconds, then goes on in the background. */
  start(waitMs: number): Promise<StartAnswer | undefined>
  /** `planVersion`: of the plan that the step followed. */
  addReading(reading: StepReading, planVersion?: number): void
  addProbe(probe: Probe): void
  addAcknowledgement(acknowledgement: Acknowledgement): void
  /** Makes the next flush send a message even if it is empty, to hear what the server wants. */
  addPoll(): void
  /** Sends what there is; true = everything was answered within the wait. */
  flush(waitMs: number): Promise<boolean>
  /**
   * At the end of a run: sends all that is left, trying again and again while the server is away, for at most so
   * many milliseconds. true = nothing is left.
   */
  drain(waitMs: number): Promise<boolean>
  close(): void
}

const realSleep = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined)

/** The number that a reply 409 names as the next one; undefined = the conflict is of another kind. */
export function expectedSequence(body: unknown): number | undefined {
  const { expectedSequence: expected } = (body ?? {}) as { expectedSequence?: unknown }
  return typeof expected === 'number' ? expected : undefined
}

const isTransient = (status: number): boolean =>
  status >= 500 || status === 408 || status === 425 || status === 429

export const createReporter = (options: ReporterOptions): Reporter => new QueueingReporter(options)

class QueueingReporter implements Reporter {
  status: ReporterStatus = 'online'
  droppedSteps = 0
  private readonly options: Required<ReporterOptions>
  private readonly builder = createBatchBuilder()
  private readonly queue: MessageQueue
  private readonly closing = new AbortController()
  /** Cuts the wait for the next try short when the run has come to its end. */
  private hurry = new AbortController()
  private isDraining = false
  private readonly waiters = new Set<() => void>()
  private startAnswer: StartAnswer | undefined
  private lastSealed: number
  /** Added to a message's number when it is sent: the server's count may have started elsewhere. */
  private sequenceShift = 0
  private conflicts = 0
  private sealedAt: number
  private pumping: Promise<void> | undefined

  constructor(options: ReporterOptions) {
    this.options = { now: () => performance.now(), sleep: realSleep, random: Math.random, ...options }
    this.queue = createMessageQueue(options.spool, memoryMessagesMax)
    this.lastSealed = this.queue.lastLeft?.sequence ?? 0
    this.sealedAt = this.options.now()
  }

  get hasUnsent(): boolean {
    return this.status !== 'refused' && this.queue.oldest() !== undefined
  }
  get spoolFile(): string {
    return this.options.spool.file
  }

  async start(waitMs: number): Promise<StartAnswer | undefined> {
    this.kick()
    await this.waitFor(() => this.startAnswer !== undefined || this.status !== 'online', waitMs)
    return this.startAnswer
  }
  addReading(reading: StepReading, planVersion?: number): void {
    // One batch tells of one plan.
    if (this.builder.stepCount > 0 && this.builder.planVersion !== (planVersion ?? null)) this.seal()
    this.builder.addReading(reading, planVersion)
    const age = this.options.now() - this.sealedAt
    if (this.builder.stepCount < batchStepsMax && age < batchMs) return
    this.seal()
    this.kick()
  }
  addProbe(probe: Probe): void {
    this.builder.addProbe(probe)
  }
  addAcknowledgement(acknowledgement: Acknowledgement): void {
    this.builder.addAcknowledgement(acknowledgement)
  }
  addPoll(): void {
    this.builder.addPoll()
  }
  async flush(waitMs: number): Promise<boolean> {
    this.seal()
    this.kick()
    await this.waitFor(() => this.status !== 'online' || !this.hasWork(), waitMs)
    return this.status === 'online' && !this.hasWork()
  }
  async drain(waitMs: number): Promise<boolean> {
    this.seal()
    this.isDraining = true
    this.hurry.abort()
    this.kick()
    await this.waitFor(() => this.status === 'refused' || !this.hasWork(), waitMs)
    this.isDraining = false
    this.hurry = new AbortController()
    return this.status !== 'refused' && !this.hasWork()
  }
  close(): void {
    this.seal()
    this.queue.spill()
    this.closing.abort()
  }

  private hasWork(): boolean {
    return this.startAnswer === undefined || this.queue.oldest() !== undefined
  }

  private say(next: ReporterStatus, sentence: string): void {
    if (this.status === next) return
    this.status = next
    this.options.onNotice(sentence)
  }

  /** Resolves when the condition holds, or after so many milliseconds. */
  private async waitFor(condition: () => boolean, ms: number): Promise<void> {
    if (ms <= 0 || condition()) return
    const ended = new AbortController()
    const check = (): void => {
      if (condition()) ended.abort()
    }
    this.waiters.add(check)
    await this.options.sleep(ms, ended.signal)
    this.waiters.delete(check)
  }
  private notify(): void {
    for (const check of this.waiters) check()
  }

  private seal(): void {
    const { clientId, spool, now, onNotice } = this.options
    this.sealedAt = now()
    if (this.builder.isEmpty) return
    const message = { clientId, sequence: this.lastSealed + 1, ...this.builder.seal() } as Message
    if (this.status === 'refused') return
    // A number is used only for a message that is kept, so what a full spool refuses leaves no gap.
    if (this.queue.add(message, this.status === 'online')) {
      this.lastSealed++
      return
    }
    const why = 'is full or cannot be written: newer reports are dropped until the server is back'
    if (this.droppedSteps === 0) onNotice(`the spool ${spool.file} ${why}`)
    this.droppedSteps += message.steps?.step.length ?? 0
  }

  private refuse({ status, body }: Reply): void {
    const { detail, title } = (body ?? {}) as { detail?: string; title?: string }
    const reason = detail ?? title ?? 'no reason given'
    this.queue.forget()
    this.say('refused', `the server refused the report (${status}: ${reason}); training goes on without it`)
  }

  private async post(path: string, body: object): Promise<Reply> {
    const reply = await this.options.transport({ method: 'POST', path, body: JSON.stringify(body) })
    if (isTransient(reply.status)) throw new TransientError(reply)
    return reply
  }

  private async create(): Promise<void> {
    const { create, clientId, onAnswer } = this.options
    const reply = await this.post('/runs', create)
    if (reply.status >= 400) return this.refuse(reply)
    const answer = parseStart(reply.body)
    if (answer instanceof TypeError) return this.refuse({ ...reply, body: { detail: answer.message } })
    // What an earlier process left has its numbers; the messages of a fresh process go on where the server stands.
    const next = answer.nextSequence[clientId] ?? 1
    if (this.queue.lastLeft === undefined)
      this.sequenceShift = next - (this.queue.oldest()?.sequence ?? this.lastSealed + 1)
    this.startAnswer = answer
    onAnswer({ plan: answer.plan, actions: answer.actions })
  }

  private async send(message: Message): Promise<void> {
    const sequence = message.sequence + this.sequenceShift
    const path = `/runs/${encodeURIComponent(this.options.runId)}/telemetry`
    const reply = await this.post(path, { ...message, sequence })
    const expected = reply.status === 409 ? expectedSequence(reply.body) : undefined
    if (expected !== undefined && this.conflicts++ === 0) {
      this.sequenceShift += expected - sequence
      return
    }
    if (reply.status >= 400) return this.refuse(reply)
    this.conflicts = 0
    this.queue.removeOldest()
    const answer = parsePlanAnswer(reply.body)
    if (answer instanceof TypeError) return this.refuse({ ...reply, body: { detail: answer.message } })
    this.options.onAnswer(answer)
  }

  private async sendNext(): Promise<void> {
    if (this.startAnswer === undefined) return this.create()
    const message = this.queue.oldest()
    if (message !== undefined) await this.send(message)
  }

  /** Sends until nothing is left; the only place where messages leave, so they leave in order. */
  private async pump(): Promise<void> {
    for (let failures = 0; !this.closing.signal.aborted && this.status !== 'refused' && this.hasWork(); ) {
      try {
        await this.sendNext()
        failures = 0
        if (this.status === 'offline') this.say('online', 'the server answers again: catching up')
        this.notify()
      } catch (cause) {
        if (this.closing.signal.aborted) return
        await this.backOff(cause, failures++)
      }
    }
  }

  private async backOff(cause: unknown, failures: number): Promise<void> {
    const { spool, random, sleep } = this.options
    const next = `training follows its last plan, reports wait in ${spool.file}`
    this.say('offline', `the server cannot be reached (${reasonOf(cause)}): ${next}`)
    this.queue.spill()
    this.notify()
    const longest = this.isDraining ? drainBackoffMsMax : backoffMsMax
    const backoff = Math.min(longest, backoffMsFirst * 2 ** failures) * (0.5 + random() / 2)
    const asked = cause instanceof TransientError ? (cause.reply.retryAfterSeconds ?? 0) * 1_000 : 0
    const signals = this.isDraining ? [this.closing.signal] : [this.closing.signal, this.hurry.signal]
    await sleep(Math.max(backoff, Math.min(asked, backoffMsMax)), AbortSignal.any(signals))
  }

  private kick(): void {
    if (this.pumping !== undefined || !this.hasWork() || this.status === 'refused') return
    this.pumping = this.pump().finally(() => {
      this.pumping = undefined
      this.notify()
    })
  }
}

class TransientError extends Error {
  readonly reply: Reply
  constructor(reply: Reply) {
    super(`status ${reply.status}`)
    this.reply = reply
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return (cause.cause instanceof Error && cause.cause.message) || cause.message
}
