// An attempt at the rule's weak place, overfitting: what of the training loss's fall reaches held-out data. Over the
// last two thirds of the steps so far, in log t, p is the slope of the averaged weights' held-out loss and q that of the
// training loss, both as falls; r = p/q is near 1 while a run learns what generalises, and falls towards 0 while it
// memorises, long before the held-out loss rises. The switch, with an anneal over half of the steps so far, is asked
// for when r, with two standard errors on either side taken against it, is below a threshold at two of three probes;
// else the rule decides as it does.

import { shortAnnealShare } from '../../tuner/estimators/memorising.ts'
import { overfittingAnnealShare } from '../../tuner/phases/enter.ts'
import { hitsNeeded, hitsWindow } from '../../tuner/phases/rule.ts'
import type { TraceRun } from '../traces/format.ts'
import type { RuleRecord } from './rule.ts'
import { type Choice, meanOf } from './truth.ts'

export const transferThresholds = [0.4, 0.5, 0.6, 0.7] as const
/** Standard errors taken against a low ratio; the training loss must fall by more than these, or it says nothing. */
const errorsAgainst = 2
/** The attempt may switch from this share of the budget on. */
export const attemptFromShare = 0.1
/** The slopes are taken from this share of the steps so far on. */
const fromShare = 1 / 3
const blockSteps = 10

type Slope = { readonly value: number; readonly error: number }

/** Least squares of y over log x, with the error of the slope; undefined for fewer than four points. */
function slopeInLog(points: readonly (readonly [number, number])[]): Slope | undefined {
  if (points.length < 4) return undefined
  const x = points.map(([step]) => Math.log(step))
  const y = points.map(([, loss]) => loss)
  const [middleX, middleY] = [meanOf(x), meanOf(y)]
  let [products, squares] = [0, 0]
  x.forEach((value, index) => {
    products += (value - middleX) * (y[index]! - middleY)
    squares += (value - middleX) ** 2
  })
  const value = products / squares
  const residual = x.reduce((sum, at, index) => sum + (y[index]! - middleY - value * (at - middleX)) ** 2, 0)
  return { value, error: Math.sqrt(residual / (points.length - 2) / squares) }
}

/** r at a step, as high as the errors of p and of q allow; null where the training loss does not plainly fall. */
export function transferAt(run: TraceRun, step: number): number | null {
  const from = Math.max(1, Math.floor(fromShare * step))
  const heldOut = run.probes.flatMap((probe): [number, number][] =>
    probe.kind === 'valley' && probe.step >= from && probe.step <= step && probe.averaged.length > 0
      ? [[probe.step, Math.min(...probe.averaged.map(({ loss }) => loss))]]
      : [],
  )
  const training: [number, number][] = []
  for (let at = from; at + blockSteps <= step; at += blockSteps)
    training.push([at + blockSteps / 2, meanOf(run.loss.slice(at, at + blockSteps))])
  const [p, q] = [slopeInLog(heldOut), slopeInLog(training)]
  if (p === undefined || q === undefined || -q.value <= errorsAgainst * q.error) return null
  return (errorsAgainst * p.error - p.value) / (-q.value - errorsAgainst * q.error)
}

export type TransferRecord = { readonly step: number; readonly ratio: number | null }

export const transferRecords = (run: TraceRun, records: readonly RuleRecord[]): TransferRecord[] =>
  records.map(({ step }) => ({ step, ratio: transferAt(run, step) }))

/** The rule's choice, unless the transfer falls below the threshold before it. */
export function transferChoice(
  records: readonly TransferRecord[],
  otherwise: Choice,
  threshold: number,
  budgetSteps: number,
): Choice {
  const low: boolean[] = []
  for (const { step, ratio } of records) {
    if (otherwise !== 'never' && step > otherwise.switchStep) break
    low.push(ratio !== null && ratio < threshold)
    if (step < attemptFromShare * budgetSteps || low.at(-1) !== true) continue
    if (low.slice(-hitsWindow).filter(Boolean).length < hitsNeeded) continue
    const steps = Math.max(2, Math.ceil(overfittingAnnealShare * step))
    return { switchStep: step, finishStep: Math.min(budgetSteps, step + steps) }
  }
  return otherwise
}

export const finishThresholds = [0.5, 0.6, 0.7, 0.8, 0.9] as const
/** The part of the anneal in which version 0.1.0 asked for it. */
export const memorisingPart = 0.25
/** Parts that may be chosen; 0: at the switch alone. */
export const finishParts = [memorisingPart, 0, 0.15, 0.35] as const

/**
 * The rule in force for memorising, as far as a trace can replay it: the rule's own switch, and a short anneal from the
 * probe, in the first part of the long one, at which little transfers. There the rate has fallen by a little, where
 * the trace's is still the large one.
 */
export function finishEarlyChoice(
  records: readonly RuleRecord[],
  otherwise: Choice,
  { threshold, part }: { readonly threshold: number; readonly part: number },
  budgetSteps: number,
): Choice {
  if (otherwise === 'never' || otherwise.finishStep < budgetSteps) return otherwise
  const { switchStep } = otherwise
  const until = switchStep + part * (budgetSteps - switchStep)
  const isLow = ({ transfer }: RuleRecord) => transfer !== null && transfer < threshold
  const found = records.find((record) => record.step >= switchStep && record.step <= until && isLow(record))
  if (found === undefined) return otherwise
  const steps = Math.max(2, Math.ceil(shortAnnealShare * found.step))
  return { switchStep: found.step, finishStep: Math.min(budgetSteps, found.step + steps) }
}
