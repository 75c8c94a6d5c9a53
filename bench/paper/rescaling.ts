// B. Momentum in the large-step regime: is it a rescaling of the rate? Curves with momentum μ at η = (1 − μ)·η_eff
// are compared with the curve without momentum at η_eff of the same seed; the yardstick is how far the curves of
// different seeds lie apart. The control compares the same runs with the plain one at the same η, and must differ.

import { type Curve, curveDistance, curveOf, hasDiverged } from './curves.ts'
import type { Lab, Subject } from './lab.ts'
import { type Interval, intervalText, meanInterval } from './statistics.ts'
import type { Store } from './store.ts'
import { table, verdict } from './table.ts'

export type RescalingSizes = {
  readonly seeds: readonly number[]
  readonly epochs: number
  /** Above 0, ascending. */
  readonly momenta: readonly number[]
}

export type MomentumRatios = {
  readonly momentum: number
  readonly diverged: number
  /** Distance to the plain run at the same η_eff, over that between seeds without momentum. */
  readonly rescaled: Interval
  /** Distance to the plain run at the same η, over the same yardstick. */
  readonly control: Interval
}
export type RescalingResult = {
  readonly name: string
  readonly effectiveRate: number
  /** Mean distance between pairs of seeds without momentum. */
  readonly yardstick: number
  readonly ratios: readonly MomentumRatios[]
}

/** η_eff as a share of the divergence rate. */
const share = 1 / 8
const ratioMax = 1.5
/** At less momentum the control is a small change of the rate, which seeds hide. */
const controlMomentumMin = 0.9

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

export function pairDistance(curves: readonly Curve[]): number {
  const pairs = curves.flatMap((curve, index) => curves.slice(index + 1).map((other) => [curve, other]))
  return mean(pairs.map(([a, b]) => curveDistance(a!, b!)))
}

export async function runRescaling(
  lab: Lab,
  store: Store,
  options: { name: string; subject: Subject; sizes: RescalingSizes; divergence: number },
): Promise<RescalingResult> {
  const { name, subject, sizes, divergence } = options
  const { seeds, epochs, momenta } = sizes
  const curvesOf = async (learningRate: number, momentum: number): Promise<Curve[]> => {
    const curves: Curve[] = []
    for (const seed of seeds)
      curves.push(
        await store.once(
          `${name}, rate ${learningRate.toPrecision(6)}, momentum ${momentum}, seed ${seed}`,
          () => curveOf(lab, { subject, seed, rates: { learningRate, momentum }, epochs }),
        ),
      )
    return curves
  }
  const effectiveRate = share * divergence
  const plain = await curvesOf(effectiveRate, 0)
  const yardstick = pairDistance(plain)
  const ratioOf = (curves: readonly Curve[], others: readonly Curve[]): Interval =>
    meanInterval(curves.map((curve, index) => curveDistance(curve, others[index]!) / yardstick))
  const ratios: MomentumRatios[] = []
  for (const momentum of momenta) {
    const learningRate = (1 - momentum) * effectiveRate
    const curves = await curvesOf(learningRate, momentum)
    ratios.push({
      momentum,
      diverged: curves.filter(hasDiverged).length,
      rescaled: ratioOf(curves, plain),
      control: ratioOf(curves, await curvesOf(learningRate, 0)),
    })
  }
  return { name, effectiveRate, yardstick, ratios }
}

function verdicts({ name, ratios }: RescalingResult): string {
  const controls = ratios.filter(({ momentum }) => momentum >= controlMomentumMin)
  return [
    `- B1, ${name}, mean ratio at most ${ratioMax} for each momentum: ${verdict(ratios.every(({ rescaled }) => rescaled.mean <= ratioMax))}`,
    `- B2, ${name}, upper bound at most ${ratioMax}: ${verdict(ratios.every(({ rescaled }) => rescaled.high <= ratioMax))}`,
    `- B3, ${name}, control above ${ratioMax} from momentum ${controlMomentumMin} on: ${verdict(controls.every(({ control }) => control.mean > ratioMax))}`,
  ].join('\n')
}

export function rescalingReport(results: readonly RescalingResult[]): string {
  const rows = results.flatMap(({ name, effectiveRate, yardstick, ratios }) =>
    ratios.map(({ momentum, diverged, rescaled, control }) => [
      name,
      effectiveRate.toPrecision(3),
      Number.isFinite(yardstick) ? yardstick.toFixed(3) : 'not defined',
      String(momentum),
      `${diverged} of ${rescaled.count}`,
      intervalText(rescaled),
      intervalText(control),
    ]),
  )
  const head = [
    'data',
    'η_eff',
    'distance between seeds',
    'momentum',
    'diverged',
    'ratio, same η_eff',
    'ratio, same η (control)',
  ]
  return [table(head, rows), results.map(verdicts).join('\n')].join('\n\n')
}
