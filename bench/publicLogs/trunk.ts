// A trunk: a run at a constant rate, from which every cooldown of that rate is a fork, with the gap D of averaged weights beside
// it. Where D was not logged on the trunk it is that of the nearest constant run with averages of the same data: nearest
// in the logarithm of the rate, then of the size. D varies little between sizes, and grows with the rate; the second kind of
// gap is scaled by the power that other sizes show.

import { median } from 'simple-statistics'
import { mean } from '../../tuner/estimators/uncertainty.ts'
import { type Curve, curveAt, type PublicLog } from './logs.ts'

export const gapKinds = ['nearest', 'scaled'] as const
/** `nearest`: D of the nearest run as it is; `scaled`: times (rate over that run's rate) to the power of `gapPower`. */
export type GapKind = (typeof gapKinds)[number]

export type Trunk = {
  readonly log: PublicLog
  readonly donor: PublicLog
  /** D by step. */
  readonly gap: Curve
}

/** Beyond the donor's last average its last level counts, the median of so many. */
const levelEntries = 8
/** A cosine is as good as constant while its rate is at least this share of its peak. */
const nearPeak = 0.9
/** Earlier than this many windows an average still holds weights of the first descent: there D is that of the first later one, as the
 *  tuner's own windows, which grow with the run, would be shorter. */
const settledWindows = 6

const sizeOf = ({ layers, width }: PublicLog): number => layers * width * width

/** The very last rate that is logged is 0 in each run: it is that of a step that is not taken. */
const isConstant = ({ rate, learningRate, scheduler }: PublicLog): boolean =>
  scheduler === 'wsd' && (rate.value.at(-2) ?? 0) > 0.99 * learningRate

/** The constant run of the grid's model at that rate, rather one with gradient norms. @throws Error where there is none. */
export function trunkLog(logs: readonly PublicLog[], rate: number): PublicLog {
  const found = logs
    .filter(({ run, learningRate }) => /^(?:grad_norm__)?stable-124m_/.test(run) && learningRate === rate)
    .sort((a, b) => Number(b.gradientNorm !== null) - Number(a.gradientNorm !== null))[0]
  if (found === undefined) throw new Error(`the logs hold no constant run of 124M at the rate ${rate}`)
  return found
}

/** L − P at the steps that have both, and averages of settled weights. */
export function gapCurve({ heldOut, averaged, averagedWindowSteps }: PublicLog): Curve {
  const raw = new Map(heldOut.step.map((step, index) => [step, heldOut.value[index]!]))
  const from = settledWindows * (averagedWindowSteps ?? 0)
  const entries = (averaged?.step ?? []).flatMap((step, index): [number, number][] => {
    const loss = raw.get(step)
    return loss === undefined || step < from ? [] : [[step, loss - averaged!.value[index]!]]
  })
  return { step: entries.map(([step]) => step), value: entries.map(([, gap]) => gap) }
}

/** The run whose D stands for that of a trunk. @throws Error where no constant run has averages. */
export function donorOf(logs: readonly PublicLog[], trunk: PublicLog): PublicLog {
  const apart = (a: number, b: number) => Math.abs(Math.log(a / b))
  const [found] = logs
    .filter((log) => log.averaged !== null && log.dataset === trunk.dataset && isConstant(log))
    .sort(
      (a, b) =>
        apart(a.learningRate, trunk.learningRate) - apart(b.learningRate, trunk.learningRate) ||
        apart(sizeOf(a), sizeOf(trunk)) - apart(sizeOf(b), sizeOf(trunk)),
    )
  if (found === undefined) throw new Error(`no constant run on ${trunk.dataset} has averaged weights (wa)`)
  return found
}

/**
 * k of D ∝ rate^k: constant runs against cosines of the same data and size that are still near their peak, sizes other than
 * the one left out. Null = no such pair.
 */
export function gapPower(
  logs: readonly PublicLog[],
  leftOut: PublicLog,
): { power: number; pairs: number } | null {
  const isOther = (log: PublicLog) => log.averaged !== null && sizeOf(log) !== sizeOf(leftOut)
  const constants = logs.filter((log) => isOther(log) && isConstant(log))
  const powers = constants.flatMap((constant) =>
    logs
      .filter(
        (log) =>
          isOther(log) &&
          log.scheduler === 'cos' &&
          log.dataset === constant.dataset &&
          sizeOf(log) === sizeOf(constant),
      )
      .flatMap((cosine) => powerOf(constant, cosine)),
  )
  return powers.length === 0 ? null : { power: mean(powers), pairs: powers.length }
}

function powerOf(constant: PublicLog, cosine: PublicLog): number[] {
  const [low, high] = [gapCurve(constant), gapCurve(cosine)]
  const ratios = high.step.flatMap((step, index) => {
    const at = low.step.indexOf(step)
    const isNear = curveAt(cosine.rate, step) >= nearPeak * cosine.learningRate
    const ratio = at < 0 ? 0 : high.value[index]! / low.value[at]!
    return isNear && ratio > 0 ? [Math.log(ratio)] : []
  })
  if (ratios.length < 3) return []
  return [median(ratios) / Math.log(cosine.learningRate / constant.learningRate)]
}

export function trunkOf(
  logs: readonly PublicLog[],
  rate: number,
  { kind, power }: { readonly kind: GapKind; readonly power: number },
): Trunk {
  const log = trunkLog(logs, rate)
  const donor = donorOf(logs, log)
  return trunkWith(log, donor, kind === 'nearest' ? 1 : (rate / donor.learningRate) ** power)
}

/** A trunk whose D is a multiple of another run's; after that run's end of its last level. */
export function trunkWith(log: PublicLog, donor: PublicLog, factor: number): Trunk {
  const { step, value } = gapCurve(donor)
  const level = median(value.slice(-levelEntries))
  const gap = { step: [...step, step.at(-1)! + 1], value: [...value, level].map((entry) => factor * entry) }
  return { log, donor, gap }
}

/** A constant run with averages of its own; none where its rate falls. */
export const ownTrunk = (log: PublicLog): Trunk[] =>
  log.averaged !== null && isConstant(log) ? [trunkWith(log, log, 1)] : []
