// Reports a run to the server without ever holding up or breaking the training loop. What is reported is sealed
// into numbered messages and sent in order, one at a time, in the background; the first message creates the run.
// While the server cannot be reached, messages go to the spool on disk and are sent in order when it is back.
// A reply 409 says which number the server expects: the message is numbered so and sent again. Any other refusal
// (4xx) would come again for ever, so the reporter says it once and stops; training follows its plan.

import { setTimeout } from 'node:timers/promises'
import type {
  Acknowledgement,
  Action,
  Decision,
  Plan,
  Probe,
  TelemetryAnswer,
} from '../../../protocol/vocabulary.ts'
import type { StepReading } from '../signals.ts'
import { createBatchBuilder } from './batch.ts'
import type { Spool } from './spool.ts'
import type { Reply, Transport } from './transport.ts'

/** Steps per message, and milliseconds after which a message is sealed with fewer. */
export const batchStepsMax = 50
export const batchMs = 500
/** Messages that wait in memory before the spool takes them. */
export const memoryMessagesMax = 32
const backoffMsFirst = 250
const backoffMsMax = 30_000

export type StartAnswer = {
  readonly run: { readonly id: string; readonly step: number }
  readonly plan: Plan
  readonly actions: readonly Action[]
  readonly nextSequence: Readonly<Record<string, number>>
}

export type ReporterOptions = {
  readonly transport: Transport
  readonly spool: Spool
  readonly runId: string
  readonly clientId: string
  /** Body of POST /runs; must carry the run's id, so that creating it twice does no harm. */
  readonly create: Readonly<Record<string, unknown>>
  onAnswer(answer: { plan: Plan; actions: readonly Action[]; decision?: Decision }): void
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
  addReading(reading: StepReading): void
  addProbe(probe: Probe): void
  addAcknowledgement(acknowledgement: Acknowledgement): void
  /** Makes the next flush send a message even if it is empty, to hear what the server wants. */
  addPoll(): void
  /** Sends what there is; true = everything was answered within the wait. */
  flush(waitMs: number): Promise<boolean>
  close(): void
}

const realSleep = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => undefined)

/** A telemetry body as it is sent and spooled. */
type Message = {
  readonly clientId: string
  readonly sequence: number
  readonly steps?: { readonly step: readonly number[] }
}

const stepCountOf = (message: Message): number => message.steps?.step.length ?? 0

/** The number that a 409 reply expects, from its fields or its sentence. */
export function expectedSequence(body: unknown): number | undefined {
  const problem = (body ?? {}) as { expected?: unknown; detail?: unknown; errors?: { detail?: unknown }[] }
  if (typeof problem.expected === 'number') return problem.expected
  const sentences = [problem.detail, ...(problem.errors ?? []).map(({ detail }) => detail)]
  for (const sentence of sentences) {
    const found = typeof sentence === 'string' ? /expected(?:\s+sequence)?\s+(\d+)/i.exec(sentence) : null
    if (found !== null) return Number(found[1])
  }
  return undefined
}

const isTransient = (status: number): boolean =>
  status >= 500 || status === 408 || status === 425 || status === 429

export function createReporter(options: ReporterOptions): Reporter {
  const { transport, spool, runId, clientId, onAnswer, onNotice } = options
  const { now = () => performance.now(), sleep = realSleep, random = Math.random } = options
  const builder = createBatchBuilder()
  const memory: Message[] = []
  const closing = new AbortController()
  const waiters = new Set<() => void>()
  let status: ReporterStatus = 'online'
  let startAnswer: StartAnswer | undefined
  let lastSealed = spool.lastLeft === undefined ? 0 : (JSON.parse(spool.lastLeft) as Message).sequence
  /** Added to a message's number when it is sent: the server's count may have started elsewhere. */
  let sequenceShift = 0
  let droppedSteps = 0
  let sealedAt = now()
  let pumping: Promise<void> | undefined

  const say = (next: ReporterStatus, sentence: string): void => {
    if (status === next) return
    status = next
    onNotice(sentence)
  }
  const hasWork = (): boolean => startAnswer === undefined || memory.length > 0 || !spool.isEmpty
  const oldest = (): Message | undefined => {
    const line = spool.peek()
    return line === undefined ? memory[0] : (JSON.parse(line) as Message)
  }
  const removeOldest = (): void => {
    if (spool.isEmpty) memory.shift()
    else spool.shift()
  }
  /** Resolves when the condition holds, or after so many milliseconds. */
  const waitFor = async (condition: () => boolean, ms: number): Promise<void> => {
    if (ms <= 0 || condition()) return
    const ended = new AbortController()
    const check = (): void => {
      if (condition()) ended.abort()
    }
    waiters.add(check)
    await sleep(ms, ended.signal)
    waiters.delete(check)
  }
  const notify = (): void => {
    for (const check of waiters) check()
  }

  /** Memory's messages are newer than the spool's: they go to its end, as far as it takes them. */
  const spillMemory = (): void => {
    while (memory.length > 0 && spool.append(JSON.stringify(memory[0]))) memory.shift()
  }
  const store = (message: Message): boolean => {
    const direct = status === 'online' && spool.isEmpty && memory.length < memoryMessagesMax
    if (!direct) spillMemory()
    if (!direct && memory.length === 0 && spool.append(JSON.stringify(message))) return true
    return memory.length < memoryMessagesMax && memory.push(message) > 0
  }
  const seal = (): void => {
    sealedAt = now()
    if (builder.isEmpty) return
    const message = { clientId, sequence: lastSealed + 1, ...builder.seal() } as Message
    if (status === 'refused') return
    // A number is used only for a message that is kept, so what a full spool refuses leaves no gap.
    if (store(message)) lastSealed++
    else {
      if (droppedSteps === 0)
        onNotice(
          `the spool ${spool.file} is full or cannot be written: newer reports are dropped until the server is back`,
        )
      droppedSteps += stepCountOf(message)
    }
  }

  const refuse = (reply: Reply): void => {
    const { detail, title } = (reply.body ?? {}) as { detail?: string; title?: string }
    memory.length = 0
    const reason = detail ?? title ?? 'no reason given'
    say('refused', `the server refused the report (${reply.status}: ${reason}); training goes on without it`)
  }
  const create = async (): Promise<void> => {
    const reply = await transport({ method: 'POST', path: '/runs', body: JSON.stringify(options.create) })
    if (isTransient(reply.status)) throw new TransientError(reply)
    if (reply.status >= 400) return refuse(reply)
    const answer = reply.body as StartAnswer
    // What an earlier process left has its numbers; the messages of a fresh process go on where the server stands.
    const next = answer.nextSequence[clientId] ?? 1
    if (spool.lastLeft === undefined) sequenceShift = next - (oldest()?.sequence ?? lastSealed + 1)
    startAnswer = answer
    onAnswer({ plan: answer.plan, actions: answer.actions })
  }
  const send = async (message: Message): Promise<void> => {
    const sequence = message.sequence + sequenceShift
    const body = JSON.stringify({ ...message, sequence })
    const reply = await transport({
      method: 'POST',
      path: `/runs/${encodeURIComponent(runId)}/telemetry`,
      body,
    })
    if (isTransient(reply.status)) throw new TransientError(reply)
    const expected = reply.status === 409 ? expectedSequence(reply.body) : undefined
    if (expected !== undefined && expected !== sequence) {
      sequenceShift += expected - sequence
      return
    }
    if (reply.status >= 400) return refuse(reply)
    removeOldest()
    onAnswer(reply.body as TelemetryAnswer)
  }
  const sendNext = async (): Promise<void> => {
    if (startAnswer === undefined) return create()
    const message = oldest()
    if (message !== undefined) await send(message)
  }

  /** Sends until nothing is left; the only place where messages leave, so they leave in order. */
  const pump = async (): Promise<void> => {
    for (let failures = 0; !closing.signal.aborted && status !== 'refused' && hasWork(); notify()) {
      try {
        await sendNext()
        failures = 0
        if (status === 'offline') say('online', 'the server answers again: catching up')
      } catch (cause) {
        if (closing.signal.aborted) return
        const reason = reasonOf(cause)
        say(
          'offline',
          `the server cannot be reached (${reason}): training follows its last plan, reports wait in ${spool.file}`,
        )
        spillMemory()
        notify()
        const backoff = Math.min(backoffMsMax, backoffMsFirst * 2 ** failures++) * (0.5 + random() / 2)
        const asked = cause instanceof TransientError ? (cause.reply.retryAfterSeconds ?? 0) * 1_000 : 0
        await sleep(Math.max(backoff, Math.min(asked, backoffMsMax)), closing.signal)
      }
    }
  }
  const kick = (): void => {
    if (pumping !== undefined || !hasWork() || status === 'refused') return
    pumping = pump().finally(() => {
      pumping = undefined
      notify()
    })
  }
  const isSettled = (): boolean => status !== 'online' || !hasWork()

  return {
    get status() {
      return status
    },
    get droppedSteps() {
      return droppedSteps
    },
    get hasUnsent() {
      return status !== 'refused' && oldest() !== undefined
    },
    spoolFile: spool.file,
    start: async (waitMs) => {
      kick()
      await waitFor(() => startAnswer !== undefined || status !== 'online', waitMs)
      return startAnswer
    },
    addReading: (reading) => {
      builder.addReading(reading)
      if (builder.stepCount < batchStepsMax && now() - sealedAt < batchMs) return
      seal()
      kick()
    },
    addProbe: (probe) => builder.addProbe(probe),
    addAcknowledgement: (acknowledgement) => builder.addAcknowledgement(acknowledgement),
    addPoll: () => builder.addPoll(),
    flush: async (waitMs) => {
      seal()
      kick()
      await waitFor(isSettled, waitMs)
      return status === 'online' && !hasWork()
    },
    close: () => {
      seal()
      spillMemory()
      closing.abort()
    },
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
  const inner = cause.cause instanceof Error ? cause.cause.message : ''
  return inner === '' ? cause.message : inner
}
