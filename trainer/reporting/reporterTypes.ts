// What a reporter is asked for and given.

import type { Acknowledgement, Probe } from '../../protocol/vocabulary.ts'
import type { StepReading } from '../signals.ts'
import type { PlanAnswer, StartAnswer } from './replies.ts'
import type { Spool } from './spool.ts'
import type { Transport } from './transport.ts'

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
  /** Steps that did not fit into the full spool, or that the server finds too large one by one. */
  readonly droppedSteps: number
  /** Whether anything sealed is not answered yet. */
  readonly hasUnsent: boolean
  /** Where it is once the reporter is closed, as the end of a sentence. */
  readonly whereUnsent: string
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
