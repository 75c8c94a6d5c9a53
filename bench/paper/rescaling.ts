// B. Momentum in the large-step regime: is it a rescaling of the rate? Curves with momentum μ at η = (1 − μ)·η_eff
// are compared with the curve without momentum at η_eff of the same seed; the yardstick is how far the curves of
// different seeds lie apart. Controls leave the rescaling out and must differ.

import type { RegimeRates } from './bands.ts'
import { type Curve, curveDistance, curveOf, hasDiverged } from './curves.ts'
import type { Lab, Subject } from './lab.ts'
import { type Interval, intervalText, meanInterval } from './statistics.ts'
import type { Store } from './store.ts'
import { table, verdict } from './table.ts'

export type RescalingSizes = {
  readonly subject: Subject
  readonly seeds: readonly number[]
  readonly epochs: number
  /** Above 0, ascending. */
  readonly momenta: readonly number[]
}

type Arm = {
  readonly name: string
  /** η_eff as a share of the divergence rate, or η itself where nothing is rescaled. */
  readonly share: number
  readonly momentum: number
  readonly isRescaled: boolean
}
export type ArmResult = Arm & {
  /** Distance to the run without momentum, over the distance between seeds without momentum. */
  readonly ratio: Interval
  readonly ratios: readonly number[]
  readonly diverged: number
}
export type RescalingResult = {
  readonly arms: readonly ArmResult[]
  /** By share of the divergence rate: the runs without momentum, and the mean distance between pairs of them. */
  readonly plain: ReadonlyMap<number, { readonly distance: number; readonly diverged: number }>
}

const shares = { half: 0.5, edge: 0.95, gentle: 0.05, eighth: 0.125 } as const
const gentleMomentum = 0.9
const ratioMax = 1.5

function armsOf(momenta: readonly number[]): Arm[] {
  const half = momenta.map((momentum) => ({
    name: 'B1, rescaled',
    share: shares.half,
    momentum,
    isRescaled: true,
  }))
  return [
    ...half,
    ...half.map((arm) => ({ ...arm, name: 'B2, control without rescaling', isRescaled: false })),
    {
      name: 'B3, gentle control without rescaling',
      share: shares.gentle,
      momentum: gentleMomentum,
      isRescaled: false,
    },
    ...half.map((arm) => ({ ...arm, name: 'near divergence, rescaled', share: shares.edge })),
    ...half.map((arm) => ({ ...arm, name: 'B4, second look, rescaled', share: shares.eighth })),
  ]
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

export function pairDistance(curves: readonly Curve[]): number {
  const pairs = curves.flatMap((curve, index) => curves.slice(index + 1).map((other) => [curve, other]))
  return mean(pairs.map(([a, b]) => curveDistance(a!, b!)))
}

export async function runRescaling(
  lab: Lab,
  store: Store,
  options: { sizes: RescalingSizes; rates: RegimeRates },
): Promise<RescalingResult> {
  const { sizes, rates } = options
  const { subject, seeds, epochs } = sizes
  const curvesOf = async (learningRate: number, momentum: number): Promise<Curve[]> => {
    const curves: Curve[] = []
    for (const seed of seeds)
      curves.push(
        await store.once(`rate ${learningRate.toPrecision(6)}, momentum ${momentum}, seed ${seed}`, () =>
          curveOf(lab, { subject, seed, rates: { learningRate, momentum }, epochs }),
        ),
      )
    return curves
  }
  const plain = new Map<number, { distance: number; diverged: number }>()
  for (const share of Object.values(shares)) {
    const curves = await curvesOf(share * rates.divergence, 0)
    plain.set(share, { distance: pairDistance(curves), diverged: curves.filter(hasDiverged).length })
  }
  const arms: ArmResult[] = []
  for (const arm of armsOf(sizes.momenta)) {
    const plainCurves = await curvesOf(arm.share * rates.divergence, 0)
    const factor = arm.isRescaled ? 1 - arm.momentum : 1
    const curves = await curvesOf(arm.share * rates.divergence * factor, arm.momentum)
    const { distance } = plain.get(arm.share)!
    const ratios = curves.map((curve, index) => curveDistance(curve, plainCurves[index]!) / distance)
    const diverged = curves.filter(hasDiverged).length
    arms.push({ ...arm, ratios, ratio: meanInterval(ratios), diverged })
  }
  return { arms, plain }
}

/** A diverged run differs, so a control with one passes; a rescaled arm with one fails. */
const isNear = ({ ratio }: ArmResult): boolean => ratio.failures === 0 && ratio.mean <= ratioMax

export function rescalingReport({ arms, plain }: RescalingResult): string {
  const seedCount = arms[0]!.ratios.length
  const plainRows = [...plain].map(([share, { distance, diverged }]) => [
    'between seeds, the yardstick',
    `${share} η_div`,
    '0',
    `${diverged} of ${seedCount}`,
    Number.isFinite(distance) ? `distance ${distance.toFixed(3)}` : 'not defined',
  ])
  const rows = arms.map((arm) => [
    arm.name,
    `${arm.share} η_div`,
    String(arm.momentum),
    `${arm.diverged} of ${seedCount}`,
    arm.diverged > 0 ? 'not defined' : intervalText(arm.ratio),
  ])
  const named = (start: string) => arms.filter(({ name }) => name.startsWith(start))
  return [
    table(['arm', 'η_eff (or η)', 'momentum', 'diverged', 'ratio of distances'], [...plainRows, ...rows]),
    `- B1, ratio at most ${ratioMax} for each momentum: ${verdict(named('B1').every(isNear))}`,
    `- B2, control differs: ${verdict(named('B2').every((arm) => !isNear(arm)))}`,
    `- B3, gentle control differs: ${verdict(named('B3').every((arm) => !isNear(arm)))}`,
    `- B4, second look at an eighth of the divergence rate: ${verdict(named('B4').every(isNear))}`,
  ].join('\n\n')
}
