// A made-up set of logs in the public format: a grid of cooldowns at two rates, their trunks, one constant run with averages of
// another size, and cosines. The valley falls as a power of the steps; the noise that an anneal takes off grows with the rate.

import { type PublicLog, parseLogs } from '../logs.ts'

export const madeUpRates = [0.001, 0.002] as const
export const madeUpLength = 4_000
export const madeUpShares = [0.1, 0.2, 0.4, 0.6, 0.8, 0.9] as const
const probeSteps = 50
const warmupSteps = 50

const valley = (steps: number): number => 3 + 6 * (1 + steps / 20) ** -0.7
/** What averages take off the loss. */
export const madeUpGap = (rate: number): number => 0.05 * (rate / 0.001) ** 0.5

/** Final loss of "constant, then linear over the last share". */
export const madeUpFinal = (rate: number, share: number): number =>
  valley(madeUpLength * (1 - share / 2)) - 0.4 * madeUpGap(rate) * Math.log(10 * share)

type Line = Record<string, unknown>

function line(run: string, rate: number, change: Line = {}): Line {
  const steps = Array.from({ length: madeUpLength / probeSteps }, (_, index) => index * probeSteps)
  const gap = madeUpGap(rate)
  return {
    run,
    dataset: 'made-up',
    layers: 12,
    width: 768,
    learningRate: rate,
    scheduler: 'wsd',
    decayShape: 'linear',
    warmupSteps,
    iterations: madeUpLength,
    batchSize: 10,
    accumulation: 2,
    workers: 1,
    averagedWindowSteps: 100,
    val: { step: steps, loss: steps.map((step) => valley(step) + gap) },
    train: {
      step: steps.map((step) => step + probeSteps),
      loss: steps.map((step) => valley(step + probeSteps) + gap),
      learningRate: steps.map((step, index) =>
        index === steps.length - 1 ? 0 : step < warmupSteps ? rate / 2 : rate,
      ),
    },
    finalLoss: valley(madeUpLength) + gap,
    ...change,
  }
}

/** A run with averages: of another size than the grid's. */
function averaged(run: string, rate: number, change: Line = {}): Line {
  const base = line(run, rate, { layers: 8, width: 512, ...change })
  const { step } = base.val as { step: number[] }
  return { ...base, wa: { step: step.slice(4), loss: step.slice(4).map(valley) } }
}

export const madeUpLines = (): Line[] => [
  ...madeUpRates.flatMap((rate) => [
    line(`stable-124m_made-up_${rate}`, rate),
    ...madeUpShares.map((share) =>
      line(`ann124-${share}_made-up_${rate}`, rate, { finalLoss: madeUpFinal(rate, share) }),
    ),
  ]),
  // One cell twice, as a run that was trained again.
  line('grad_norm__ann124-0.2_made-up', 0.001, { finalLoss: madeUpFinal(0.001, 0.2) + 0.002 }),
  averaged('sl53_made-up', 0.001),
  averaged('cos53_made-up', 0.002, { scheduler: 'cos' }),
]

export const textOf = (lines: readonly Line[]): string =>
  lines.map((entry) => JSON.stringify(entry)).join('\n')

export const madeUpLogs = (): PublicLog[] => parseLogs(textOf(madeUpLines()))
