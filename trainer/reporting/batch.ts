// Collects what is to be reported into columns, and seals it into one telemetry message.

import { encodeNumber } from '../../protocol/schemas.ts'
import type { Acknowledgement, Probe } from '../../protocol/vocabulary.ts'
import type { StepReading } from '../signals.ts'

/** The columns of a reading that travel, besides `step`. */
const columnNames = [
  'loss',
  'learningRate',
  'momentum',
  'gradientNormSquared',
  'microGradientNormSquared',
  'batchSize',
  'microBatchSize',
  'gradientDotUpdate',
  'updateNormSquared',
  'weightNormSquared',
  'preconditionedGradientNormSquared',
  'preconditionedMicroGradientNormSquared',
  'stepSeconds',
  'signalSeconds',
] as const

export type BatchBuilder = {
  readonly stepCount: number
  readonly isEmpty: boolean
  /** Version of the plan that the readings followed; null = there are none, or it is not known. */
  readonly planVersion: number | null
  /** Readings of one batch follow one plan: `planVersion` is that of the first. */
  addReading(reading: StepReading, planVersion?: number | null): void
  addProbe(probe: Probe): void
  addAcknowledgement(acknowledgement: Acknowledgement): void
  /** Counts as content, so that an empty message is sent. */
  addPoll(): void
  /** The message without `clientId` and `sequence`; the builder is empty again. */
  seal(): Record<string, unknown>
}

/** Non-finite numbers by name; others with 9 digits, which is every digit that a 32-bit float has. */
const wireNumber = (value: number | null): number | string | null =>
  value === null ? null : Number.isFinite(value) ? Number(value.toPrecision(9)) : encodeNumber(value)

const wireProbe = (probe: Probe): unknown =>
  JSON.parse(JSON.stringify(probe, (_, value) => (typeof value === 'number' ? wireNumber(value) : value)))

export function createBatchBuilder(): BatchBuilder {
  let readings: StepReading[] = []
  let planVersion: number | null = null
  let probes: unknown[] = []
  let acknowledgements: Acknowledgement[] = []
  let isPoll = false
  return {
    get stepCount() {
      return readings.length
    },
    get isEmpty() {
      return readings.length === 0 && probes.length === 0 && acknowledgements.length === 0 && !isPoll
    },
    get planVersion() {
      return planVersion
    },
    addReading: (reading, version = null) => {
      if (readings.length === 0) planVersion = version
      readings.push(reading)
    },
    addProbe: (probe) => void probes.push(wireProbe(probe)),
    addAcknowledgement: (acknowledgement) => void acknowledgements.push(acknowledgement),
    addPoll: () => {
      isPoll = true
    },
    seal: () => {
      const steps: Record<string, unknown> = { step: readings.map(({ step }) => step) }
      for (const name of columnNames)
        if (readings.some((reading) => reading[name] !== null))
          steps[name] = readings.map((reading) => wireNumber(reading[name]))
      const content = {
        ...(readings.length > 0 ? { steps } : {}),
        ...(readings.length > 0 && planVersion !== null ? { planVersion } : {}),
        ...(probes.length > 0 ? { probes } : {}),
        ...(acknowledgements.length > 0 ? { acknowledgements } : {}),
      }
      readings = []
      planVersion = null
      probes = []
      acknowledgements = []
      isPoll = false
      return content
    },
  }
}
