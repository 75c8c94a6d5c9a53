// The signals of steps, from the device to columns of numbers. Each step leaves small tensors here; `read` fetches
// those of all waiting steps at once. On a GPU that is the only read in training, so it is never per step.

import type * as tf from '@tensorflow/tfjs-core'
import type { Backend } from './backends/backend.ts'

/** Signals measured on the device, one scalar each; absent = not measured at that step. */
export const deviceSignals = [
  'loss',
  'gradientNormSquared',
  'microGradientNormSquared',
  'gradientDotUpdate',
  'updateNormSquared',
  'weightNormSquared',
  'preconditionedGradientNormSquared',
  'preconditionedMicroGradientNormSquared',
] as const
export type DeviceSignal = (typeof deviceSignals)[number]

/** What the host knows of a step by itself. */
export type HostSignals = {
  readonly step: number
  readonly learningRate: number
  readonly momentum: number
  readonly batchSize: number
  readonly microBatchSize: number | null
  readonly stepSeconds: number
  readonly signalSeconds: number
}

/** One step's numbers; null = not measured. */
export type StepReading = HostSignals & Readonly<Record<DeviceSignal, number | null>>

export type SignalBuffer = {
  /** Steps that wait to be read. */
  readonly count: number
  /** Takes over the scalars: they are disposed when read. */
  add(host: HostSignals, scalars: Partial<Record<DeviceSignal, tf.Scalar | undefined>>): void
  read(): Promise<StepReading[]>
  dispose(): void
}

const unmeasured = Object.fromEntries(deviceSignals.map((name) => [name, null])) as Record<DeviceSignal, null>

/**
 * Where steps are gathered, the host hands them to the device and goes on: what it then waits for the values is the
 * device's work on those steps, so each gets its share of it in `stepSeconds`.
 */
export function createSignalBuffer(backend: Backend, clock: () => number): SignalBuffer {
  const isGathering = backend.stepsPerRead > 1
  let waiting: { host: HostSignals; scalars: [DeviceSignal, tf.Scalar][] }[] = []
  return {
    get count() {
      return waiting.length
    },
    add: (host, scalars) => {
      const present = Object.entries(scalars).filter((entry) => entry[1] !== undefined)
      waiting.push({ host, scalars: present as [DeviceSignal, tf.Scalar][] })
    },
    read: async () => {
      const steps = waiting
      waiting = []
      const tensors = steps.flatMap(({ scalars }) => scalars.map(([, scalar]) => scalar))
      const asked = isGathering ? clock() : 0
      const values = await backend.readValues(tensors)
      const waited = isGathering ? (clock() - asked) / steps.length : 0
      for (const tensor of tensors) tensor.dispose()
      let next = 0
      return steps.map(({ host, scalars }) => {
        const measured: Partial<Record<DeviceSignal, number>> = {}
        for (const [name] of scalars) measured[name] = values[next++]!
        return { ...host, stepSeconds: host.stepSeconds + waited, ...unmeasured, ...measured }
      })
    },
    dispose: () => {
      for (const { scalars } of waiting) for (const [, scalar] of scalars) scalar.dispose()
      waiting = []
    },
  }
}
