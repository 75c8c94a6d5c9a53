// What a synthetic job can be: its problem, what it offers and reports, and what goes wrong in it.

import { type Capability, type Command, capabilities, type RunOptions } from '../../protocol/vocabulary.ts'
import type { QuadraticOptions } from './noisyQuadratic.ts'

export type SyntheticOptions = Partial<QuadraticOptions> & {
  readonly seed: number
  readonly budgetSteps: number | null
  readonly stepCount?: number
  readonly learningRate?: number | null
  /** Lowest and highest rate allowed; null = none. */
  readonly rateLimits?: { readonly min: number | null; readonly max: number | null }
  readonly momentum?: number
  readonly capabilities?: readonly Capability[]
  readonly mode?: RunOptions['mode']
  /** Commands by the step at which they arrive. */
  readonly commands?: Readonly<Record<number, Command>>
  /** Changes a step's reported loss (faults): gets step and loss. */
  readonly reportedLoss?: (step: number, loss: number) => number
  /** Added to every held-out loss (overfitting): gets the step. */
  readonly heldOutExtra?: (step: number) => number
  /** Steps from which and up to which nothing reaches the tuner, nor back. */
  readonly cutOff?: { readonly fromStep: number; readonly toStep: number }
  /** How restores are answered. */
  readonly restores?: 'done' | 'failed' | 'unanswered'
  /** Whether samples carry the learning rate. */
  readonly reportsRate?: boolean
  /** Whether batches name the plan that their steps followed. */
  readonly namesPlan?: boolean
  /** The rate that the job applies of what is planned (a job that goes its own way). */
  readonly appliedRate?: (step: number, planned: number) => number
  /** Significant digits of what is reported. */
  readonly digits?: number
  /** Wall time of a valley probe; a step takes .01. */
  readonly probeSeconds?: number
  /** Steps per batch of samples. */
  readonly batchSteps?: number
}

export const allCapabilities: readonly Capability[] = capabilities

type Defaulted =
  | keyof QuadraticOptions
  | 'learningRate'
  | 'momentum'
  | 'capabilities'
  | 'mode'
  | 'batchSteps'
  | 'restores'
  | 'reportsRate'

/** The job that is meant where nothing else is said. */
export const syntheticDefaults = {
  learningRate: null,
  momentum: 0.9,
  dimensions: 40,
  curvatureMin: 0.002,
  curvatureMax: 1,
  traceSigma: 40,
  batchSize: 32,
  floor: 0.2,
  capabilities: allCapabilities,
  mode: 'auto',
  batchSteps: 20,
  restores: 'done',
  reportsRate: true,
} satisfies Omit<SyntheticOptions, 'seed' | 'budgetSteps'> as Required<Pick<SyntheticOptions, Defaulted>>
