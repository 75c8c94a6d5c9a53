// The sizes of the experiments, as their records fixed them before the first run (A and E:
// bench/records/2026-11-24-paper/README.md; B, C, D: bench/records/2026-11-28-paper/README.md), and tiny ones that run in
// seconds, for the test that keeps the code alive.

import type { BandsSizes } from './bands.ts'
import type { DivergenceSizes } from './divergence.ts'
import type { GeneralisationSizes } from './generalisation.ts'
import type { Subject } from './lab.ts'
import type { SwitchSizes } from './oneSwitch.ts'
import type { RescalingSizes } from './rescaling.ts'
import type { SmallStepSizes } from './smallStep.ts'

export type PaperSizes = {
  readonly bands: BandsSizes
  /** The data sets of B and D, and how their divergence rates are found. */
  readonly subjects: readonly { readonly name: string; readonly divergence: DivergenceSizes }[]
  readonly rescaling: RescalingSizes
  readonly smallStep: SmallStepSizes
  readonly generalisation: GeneralisationSizes
  readonly oneSwitch: SwitchSizes
}

/** from·2^i, i = 0 … count − 1. */
const doubling = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((from * 2 ** i).toPrecision(6)))

/** Of A and E. */
const firstSeeds = [1, 2, 3, 4, 5]
const seeds = [11, 12, 13, 14, 15]
const tuningSeeds = [201, 202]
const fashion: Subject = { task: 'fashion', trainExamples: 4_000, widths: [64, 32], batchSize: 64 }
const digits: Subject = { task: 'digits', trainExamples: 12_000, widths: [64, 32], batchSize: 128 }
const fewDigits: Subject = { ...digits, trainExamples: 4_096 }
const divergence = { seeds: [201, 202, 203, 204, 205], epochs: 20, fromRate: 0.08, halvings: 3 }

export const paperSizes: PaperSizes = {
  bands: { subject: fashion, seeds: firstSeeds, rates: doubling(0.002, 12), epochs: 20 },
  subjects: [
    { name: 'Fashion-MNIST', divergence: { ...divergence, subject: fashion } },
    { name: 'digits', divergence: { ...divergence, subject: { ...fashion, task: 'digits' } } },
  ],
  rescaling: { seeds, epochs: 20, momenta: [0.5, 0.9, 0.95] },
  smallStep: {
    large: { subject: fewDigits, seeds: tuningSeeds, epochs: 10, fromRate: 0.16, halvings: 3 },
    seeds,
    tuningSeeds,
    refinements: 1,
    momentum: 0.9,
    reference: {
      subject: fewDigits,
      tuningSeeds,
      epochs: 20,
      momentum: 0.9,
      middleRate: 0.32,
      refinements: 1,
    },
    batches: [
      { batchSize: 128, epochsMax: 100, middleRate: 0.32 },
      { batchSize: 1_024, epochsMax: 500, middleRate: 0.64 },
      { batchSize: 4_096, epochsMax: 3_000, middleRate: 1.28 },
    ],
    leastSquares: {
      seeds,
      tuningSeeds,
      refinements: 3,
      momentum: 0.9,
      problems: [
        { condition: 10, expected: { best: 2.7, fixed: 0.24 } },
        { condition: 100, expected: { best: 6.8, fixed: 2.0 } },
        { condition: 1_444, expected: { best: 21, fixed: 21 } },
      ],
    },
    ownRates: { seeds: [21, 22, 23, 24, 25], batchSizes: [128, 4_096] },
  },
  generalisation: {
    seeds,
    labelNoises: [0, 0.3],
    largeEpochs: 10,
    smallEpochs: 20,
    controlEpochsMax: 150,
  },
  oneSwitch: {
    subjects: [
      { name: 'digits', subject: digits, budgetSteps: 1_860 },
      {
        name: 'fashion',
        subject: { ...fashion, trainExamples: 10_000, batchSize: 128 },
        budgetSteps: 1_560,
      },
    ],
    seeds: firstSeeds,
    rates: [0.01, 0.03, 0.1],
  },
}

const tinyDigits: Subject = { task: 'digits', trainExamples: 256, widths: [16], batchSize: 16 }
const tinySeeds = [1, 2]
const tinyDivergence = { subject: tinyDigits, seeds: [3], epochs: 2, fromRate: 0.1, halvings: 1 }

export const tinySizes: PaperSizes = {
  bands: { subject: tinyDigits, seeds: tinySeeds, rates: [0.05, 0.1, 1e8], epochs: 3 },
  subjects: [{ name: 'tiny', divergence: tinyDivergence }],
  rescaling: { seeds: tinySeeds, epochs: 2, momenta: [0.9] },
  smallStep: {
    large: tinyDivergence,
    seeds: tinySeeds,
    tuningSeeds: [3],
    refinements: 0,
    momentum: 0.9,
    reference: {
      subject: tinyDigits,
      tuningSeeds: [3],
      epochs: 1,
      momentum: 0.9,
      middleRate: 0.2,
      refinements: 0,
    },
    batches: [
      { batchSize: 16, epochsMax: 4, middleRate: 0.2 },
      { batchSize: 256, epochsMax: 4, middleRate: 0.4 },
    ],
    leastSquares: {
      seeds: tinySeeds,
      tuningSeeds: [3],
      refinements: 0,
      momentum: 0.9,
      problems: [{ condition: 4, expected: { best: 2, fixed: 0.2 } }],
    },
    ownRates: { seeds: [4], batchSizes: [16, 256] },
  },
  generalisation: {
    seeds: tinySeeds,
    labelNoises: [0, 0.3],
    largeEpochs: 1,
    smallEpochs: 1,
    controlEpochsMax: 3,
  },
  oneSwitch: {
    subjects: [{ name: 'tiny', subject: tinyDigits, budgetSteps: 40 }],
    seeds: [1],
    rates: [0.1],
  },
}
