// Reports a run to the server without ever holding up or breaking the training loop. What is reported is sealed
// into numbered messages and sent in order, one at a time, in the background; the first message creates the run.
// While the server cannot be reached, messages go to the spool on disk and are sent in order when it is back.
// A message is sent under the number that it has where it lies, in memory or in the spool, so that one that was taken and never
// answered is known when another process sends it again. Where the server counts otherwise (a fresh process, a reply 409) all
// that waits is numbered anew, in the spool too; what is too large is divided, into parts whose names follow from its own. Any other refusal (4xx) is said once, and what waits is tried again now and then; training follows its plan.
// What cannot be read as an answer of ours stored nothing as far as we know: the message stays, and is sent again.

import { setTimeout } from 'node:timers/promises'
import type { Acknowledgement, Probe } from '../../protocol/vocabulary.ts'
import type { StepReading } from '../signals.ts'
import { createBatchBuilder } from './batch.ts'
import { createMessageQueue, type Message, type MessageQueue } from './messageQueue.ts'
import { answerOf, checkTaken, NotTaken, notTakenSentence } from './notTaken.ts'
import { expectedSequence, parsePlanAnswer, parseStart, type StartAnswer } from './replies.ts'
import type { Reporter, ReporterOptions, ReporterStatus } from './reporterTypes.ts'
import { smallerOf } from './smaller.ts'
import type { Reply } from './transport.ts'

/** Steps per message, and milliseconds after which a message is sealed with fewer. */
export const batchStepsMax = 50
export const batchMs = 500
/** Messages that wait in memory before the spool takes them. */
export const memoryMessagesMax = 32
const backoffMsFirst = 250
const backoffMsMax = 30_000
/** Pause between tries of what was refused: somebody has to change something first. */
const refusedMs = 30_000
/** Longest pause between tries once training is over and only the reports are left. */
const drainBackoffMsMax = 500

const realSleep = (ms: number, signal: AbortSignal) =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined)

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
  private conflicts = 0
  /** Of the oldest message, where it had to be divided: what of it is still to be sent, and how many have been. */
  private pieces: Message[] = []
  private piecesSent = 0
  private refusals = 0
  /** There is no run to report to, and there will be none. */
  private isOver = false
  private sealedAt: number
  private pumping: Promise<void> | undefined

  constructor(options: ReporterOptions) {
    this.options = { now: () => performance.now(), sleep: realSleep, random: Math.random, ...options }
    this.queue = createMessageQueue(options.spool, memoryMessagesMax)
    this.lastSealed = this.queue.lastLeft?.sequence ?? 0
    this.sealedAt = this.options.now()
  }

  get hasUnsent(): boolean {
    return !this.isOver && this.queue.oldest() !== undefined
  }
  get whereUnsent(): string {
    return this.queue.whereLeft
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
    const { refusals, hurry } = this
    this.hurry = new AbortController()
    hurry.abort()
    this.kick()
    await this.waitFor(() => this.refusals > refusals || !this.hasWork(), waitMs)
    this.isDraining = false
    return !this.hasWork()
  }
  close(): void {
    this.seal()
    this.queue.spill()
    this.closing.abort()
  }

  private hasWork(): boolean {
    return !this.isOver && (this.startAnswer === undefined || this.queue.oldest() !== undefined)
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
    if (this.isOver) return
    // A number is used only for a message that is kept, so what a full spool refuses leaves no gap.
    if (this.queue.add(message, this.status === 'online')) {
      this.lastSealed++
      return
    }
    const why = 'is full or cannot be written: newer reports are dropped until the server is back'
    if (this.droppedSteps === 0) onNotice(`the spool ${spool.file} ${why}`)
    this.droppedSteps += message.steps?.step.length ?? 0
  }

  private post(path: string, body: object): Promise<Reply> {
    return this.options.transport({ method: 'POST', path, body: JSON.stringify(body) })
  }

  private async create(): Promise<void> {
    const { create, clientId, onAnswer } = this.options
    const reply = await this.post('/runs', create)
    try {
      checkTaken(reply)
    } catch (cause) {
      // Another's run has this name: what is reported must never come into it.
      if (reply.status === 409) this.isOver = true
      throw cause
    }
    const answer = answerOf(parseStart(reply.body))
    // What an earlier process left has its numbers; the messages of a fresh process go on where the server stands.
    if (this.queue.lastLeft === undefined && !this.renumber(answer.nextSequence[clientId] ?? 1))
      throw new Error(`${this.options.spool.file} cannot be written`)
    this.startAnswer = answer
    onAnswer({ plan: answer.plan, actions: answer.actions })
  }

  /** A part has a name that follows from the whole one's: the last part has that of the whole. */
  private named(oldest: Message): Message {
    const { clientId, sequence } = oldest
    if (this.pieces.length < 2) return { ...(this.pieces[0] ?? oldest), clientId, sequence }
    return { ...this.pieces[0]!, clientId: `${clientId}.${sequence}`, sequence: this.piecesSent + 1 }
  }

  private async send(oldest: Message): Promise<void> {
    const message = this.named(oldest)
    const path = `/runs/${encodeURIComponent(this.options.runId)}/telemetry`
    const reply = await this.post(path, message)
    if (reply.status === 409 && this.isRenumbered(reply.body)) return
    if (reply.status === 413 && this.divides(message)) return
    checkTaken(reply)
    const answer = answerOf(parsePlanAnswer(reply.body))
    this.conflicts = 0
    this.pieces.shift()
    this.piecesSent++
    if (this.pieces.length === 0) {
      this.queue.removeOldest()
      this.piecesSent = 0
    }
    this.options.onAnswer(answer)
  }

  /** Whether what waits can be sent under numbers from this one on. */
  private renumber(first: number): boolean {
    const oldest = this.queue.oldest()
    if ((oldest?.sequence ?? this.lastSealed + 1) === first) return true
    const last = this.queue.renumber(first)
    if (last === undefined) return false
    this.lastSealed = last
    return true
  }

  /** Whether what waits is to be sent again, under the numbers that the server has named. */
  private isRenumbered(body: unknown): boolean {
    const expected = expectedSequence(body)
    if (expected === undefined || this.conflicts++ > 0 || !this.renumber(expected)) return false
    const { code, detail } = body as { code?: unknown; detail?: unknown }
    if (code === 'sequence-reused')
      this.options.onNotice(
        `the server has other reports under this number (${detail}): numbered on from ${expected}`,
      )
    return true
  }

  /** Whether the message, which is too large, can be sent in smaller ones. */
  private divides(message: Message): boolean {
    const smaller = smallerOf(message)
    if (smaller === undefined) return false
    this.droppedSteps += smaller.droppedSteps
    this.pieces.splice(0, 1, ...smaller.messages)
    return true
  }

  /** Sends until nothing is left; the only place where messages leave, so they leave in order. */
  private async pump(): Promise<void> {
    for (let failures = 0; !this.closing.signal.aborted && this.hasWork(); ) {
      try {
        await (this.startAnswer === undefined ? this.create() : this.send(this.queue.oldest()!))
        failures = 0
        if (this.status !== 'online') this.say('online', 'the server answers again: catching up')
        this.notify()
      } catch (cause) {
        if (this.closing.signal.aborted) return
        await this.backOff(cause, failures++)
      }
    }
  }

  private async backOff(cause: unknown, failures: number): Promise<void> {
    const { random, sleep } = this.options
    const isRefusal = cause instanceof NotTaken && cause.isRefusal
    if (isRefusal) this.refusals++
    if (this.isOver) {
      this.queue.forget()
      this.say(
        'refused',
        `the server refused the run (${(cause as NotTaken).message}); training goes on without it`,
      )
      return
    }
    this.queue.spill()
    this.say(isRefusal ? 'refused' : 'offline', notTakenSentence(cause, this.queue.whereWaiting))
    this.notify()
    const longest = this.isDraining ? drainBackoffMsMax : backoffMsMax
    const growing = Math.min(longest, backoffMsFirst * 2 ** failures) * (0.5 + random() / 2)
    const asked = cause instanceof NotTaken ? Math.min(cause.retryAfterMs, backoffMsMax) : 0
    const ended = AbortSignal.any([this.closing.signal, this.hurry.signal])
    await sleep(Math.max(isRefusal ? refusedMs : growing, asked), ended)
  }

  private kick(): void {
    if (this.pumping !== undefined || !this.hasWork()) return
    this.pumping = this.pump().finally(() => {
      this.pumping = undefined
      this.notify()
    })
  }
}
