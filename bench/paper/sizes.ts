// The sizes of the experiments, as their record fixed them before the first run
// (bench/records/2026-11-24-paper/README.md), and tiny ones that run in seconds, for the test that keeps the code alive.

import type { BandsSizes } from './bands.ts'
import type { GeneralisationSizes } from './generalisation.ts'
import type { Subject } from './lab.ts'
import type { SwitchSizes } from './oneSwitch.ts'
import type { RescalingSizes } from './rescaling.ts'
import type { SmallStepSizes } from './smallStep.ts'

export type PaperSizes = {
  readonly bands: BandsSizes
  readonly rescaling: RescalingSizes
  readonly smallStep: SmallStepSizes
  readonly generalisation: GeneralisationSizes
  readonly oneSwitch: SwitchSizes
}

/** from·2^i, i = 0 … count − 1. */
const doubling = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((from * 2 ** i).toPrecision(6)))

const seeds = [1, 2, 3, 4, 5]
const tuningSeeds = [101, 102]
const fashion: Subject = { task: 'fashion', trainExamples: 4_000, widths: [64, 32], batchSize: 64 }
const digits: Subject = { task: 'digits', trainExamples: 12_000, widths: [64, 32], batchSize: 128 }
const momenta = [0.5, 0.9, 0.95]

export const paperSizes: PaperSizes = {
  bands: { subject: fashion, seeds, rates: doubling(0.002, 12), epochs: 20, halvings: 3 },
  rescaling: { subject: fashion, seeds, epochs: 20, momenta },
  smallStep: {
    subject: digits,
    seeds,
    tuningSeeds,
    largeEpochs: 10,
    largeRates: doubling(0.02, 12),
    halvings: 3,
    effectiveRates: doubling(0.01, 9),
    momentum: 0.9,
    batches: [
      { batchSize: 128, epochsMax: 30 },
      { batchSize: 1_024, epochsMax: 60 },
      { batchSize: 8_192, epochsMax: 150 },
    ],
  },
  generalisation: {
    subject: fashion,
    seeds,
    labelNoises: [0, 0.3],
    largeEpochs: [0, 2, 5, 10, 20, 40],
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
    seeds,
    rates: [0.01, 0.03, 0.1],
  },
}

const tinyDigits: Subject = { task: 'digits', trainExamples: 256, widths: [16], batchSize: 16 }
const tinySeeds = [1, 2]

export const tinySizes: PaperSizes = {
  bands: { subject: tinyDigits, seeds: tinySeeds, rates: [0.05, 0.1, 1e8], epochs: 3, halvings: 1 },
  rescaling: { subject: tinyDigits, seeds: tinySeeds, epochs: 2, momenta: [0.9] },
  smallStep: {
    subject: tinyDigits,
    seeds: tinySeeds,
    tuningSeeds: [3],
    largeEpochs: 4,
    largeRates: [0.1, 1e8],
    halvings: 1,
    effectiveRates: [0.05, 0.2],
    momentum: 0.9,
    batches: [
      { batchSize: 16, epochsMax: 4 },
      { batchSize: 256, epochsMax: 4 },
    ],
  },
  generalisation: {
    subject: tinyDigits,
    seeds: tinySeeds,
    labelNoises: [0, 0.3],
    largeEpochs: [0, 1],
    smallEpochs: 1,
    controlEpochsMax: 3,
  },
  oneSwitch: {
    subjects: [{ name: 'tiny', subject: tinyDigits, budgetSteps: 40 }],
    seeds: [1],
    rates: [0.1],
  },
}
