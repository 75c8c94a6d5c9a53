// What a running trainer says about itself: to a program as one JSON object a line (`--events`), to a person as
// sentences.

import { encodeNumber } from '../protocol/schemas.ts'
import type { Decision, Phase } from '../protocol/vocabulary.ts'

export type SummaryEvent = {
  readonly event: 'summary'
  readonly runId: string
  readonly testAccuracy: number
  readonly testLoss: number
  readonly largeLearningRate: number | null
  readonly switchStep: number | null
  readonly steps: number
  readonly budgetSteps: number | null
  /** Shares of the training time (waiting for the server left out) spent on step signals and on probes. */
  readonly signalShare: number
  readonly probeShare: number
  /** Seconds spent waiting for answers, and all seconds from the first step to the last. */
  readonly waitSeconds: number
  readonly wallSeconds: number
  readonly backend: string
  readonly kept: string
  /** Whether the run has ended better than it began, as the server judges; null = not known. */
  readonly isBetter: boolean | null
  readonly seed: number
}

export type TrainerEvent =
  | {
      readonly event: 'progress'
      readonly step: number
      readonly loss: number | null
      readonly learningRate: number
      readonly phase: Phase | null
      readonly budgetSteps: number | null
    }
  | { readonly event: 'decision'; readonly decision: Decision }
  /** `isUnsent`: it says what of the run the server has not got. */
  | { readonly event: 'notice'; readonly message: string; readonly isUnsent?: boolean }
  | SummaryEvent

export type EventSink = (event: TrainerEvent) => void

/** One line of JSON; numbers that are not finite go by their names. */
export const eventLine = (event: TrainerEvent): string =>
  JSON.stringify(event, (_, value) => (typeof value === 'number' ? encodeNumber(value) : value))

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** The same for a person; undefined = not worth a line. */
export function eventSentence(event: TrainerEvent): string | undefined {
  switch (event.event) {
    case 'progress': {
      const of = event.budgetSteps === null ? '' : ` of ${event.budgetSteps}`
      const loss = event.loss === null ? 'unknown' : event.loss.toFixed(4)
      return `step ${event.step}${of}: loss ${loss}, learning rate ${event.learningRate.toPrecision(3)}${event.phase ? `, ${event.phase}` : ''}`
    }
    case 'decision':
      return event.decision.kind === 'hold'
        ? undefined
        : `decision ${event.decision.number}: ${event.decision.summary}`
    case 'notice':
      return event.message
    case 'summary':
      return [
        `test accuracy ${percent(event.testAccuracy)}, test loss ${event.testLoss.toFixed(4)} after ${event.steps} steps in ${event.wallSeconds.toFixed(1)} s`,
        `signals took ${percent(event.signalShare)} and probes ${percent(event.probeShare)} of the training time`,
        ...(event.isBetter === false ? ['the run is no better than at its start'] : []),
      ].join('; ')
  }
}
