// What momentum's buffer should do where the momentum changes at a constant η/(1 − μ), exactly: expected loss on
// quadratics with gradient noise. Per eigenvalue h the second moments of (w, v) follow a linear recursion under
//   v' = μ·k·v + hw + ξ,  w' = w − ηv',  k = the factor on the buffer at the step of the change, else 1.
// The change comes when the run has come to rest, or in its descent; the run without a change is the
// yardstick (C6 of bench/records/2026-11-24-paper).

import { table } from './table.ts'

export const bufferRules = ['scaled', 'kept', 'scaled downwards', 'in force'] as const
export type BufferRule = (typeof bufferRules)[number]

export type BufferCase = {
  readonly from: number
  readonly to: number
  /** η/(1 − μ) times the largest eigenvalue; without momentum 2 is the edge of what is stable. */
  readonly sharpness: number
  readonly start: 'rest' | 'descent'
}

/** Of the expected excess loss over that of the run without a change, in the steps after it. */
export type BufferOutcome = { readonly peak: number; readonly end: number }

const dimensions = 24
/** Largest over smallest eigenvalue. */
const condition = 300
/** Noise of a batch's gradient in each direction; from w = 1 the descent is then well above the noise. */
const noise = 1e-3
const stepsBefore = { rest: 20_000, descent: 100 } as const
const stepsAfter = 100

/** What the buffer is multiplied by: in balance it is g/(1 − μ), so the first rule keeps a steady gradient's speed. The
 *  last is that of the trainer's optimizer: the way that the buffer still goes, Σ ημᵏv, grows at no change. */
export function bufferFactor(rule: BufferRule, from: number, to: number): number {
  const balance = (1 - from) / (1 - to)
  if (rule === 'kept') return 1
  if (rule === 'scaled') return balance
  return Math.min(rule === 'in force' ? from / to : 1, balance)
}

type Moments = { readonly h: number; readonly ww: number; readonly wv: number; readonly vv: number }

function stepped(
  { h, ww, wv, vv }: Moments,
  step: { rate: number; momentum: number; factor: number },
): Moments {
  const { rate, momentum, factor } = step
  const m = momentum * factor
  const nextVv = m * m * vv + 2 * m * h * wv + h * h * ww + noise
  const wNextV = m * wv + h * ww
  return {
    h,
    ww: ww - 2 * rate * wNextV + rate * rate * nextVv,
    wv: wNextV - rate * nextVv,
    vv: nextVv,
  }
}

const excessOf = (moments: readonly Moments[]): number =>
  moments.reduce((sum, { h, ww }) => sum + (h * ww) / 2, 0)

/** Excess loss after each step, from the moments at the change. */
function course(
  start: readonly Moments[],
  effectiveRate: number,
  momentum: number,
  factor: number,
): number[] {
  let moments = start
  return Array.from({ length: stepsAfter }, (_, step) => {
    const change = { rate: effectiveRate * (1 - momentum), momentum, factor: step === 0 ? factor : 1 }
    moments = moments.map((entry) => stepped(entry, change))
    return excessOf(moments)
  })
}

export function bufferOutcome(rule: BufferRule, { from, to, sharpness, start }: BufferCase): BufferOutcome {
  let moments: Moments[] = Array.from({ length: dimensions }, (_, i) => ({
    h: condition ** (-i / (dimensions - 1)),
    ww: 1,
    wv: 0,
    vv: 0,
  }))
  const before = { rate: sharpness * (1 - from), momentum: from, factor: 1 }
  for (let step = 0; step < stepsBefore[start]; step++)
    moments = moments.map((entry) => stepped(entry, before))
  const unchanged = course(moments, sharpness, from, 1)
  const changed = course(moments, sharpness, to, bufferFactor(rule, from, to))
  const ratios = changed.map((excess, step) => excess / unchanged[step]!)
  return { peak: Math.max(...ratios), end: ratios.at(-1)! }
}

const changes: readonly (readonly [number, number])[] = [
  [0, 0.9],
  [0.5, 0.9],
  [0.9, 0.95],
  [0.9, 0.99],
  [0.9, 0.5],
  [0.95, 0.5],
]

export const bufferCases: readonly BufferCase[] = changes.flatMap(([from, to]) =>
  [0.3, 1].flatMap((sharpness) =>
    (['rest', 'descent'] as const).map((start) => ({ from, to, sharpness, start })),
  ),
)

/** Of every rule at every change: highest expected excess loss in the steps after it, and that after all of them. */
export function bufferTable(): string {
  const two = (value: number): string => value.toFixed(2)
  return table(
    ['momentum', 'η_eff·h_max', 'changed', ...bufferRules],
    bufferCases.map((entry) => [
      `${entry.from} to ${entry.to}`,
      String(entry.sharpness),
      entry.start === 'rest' ? 'at rest' : 'in the descent',
      ...bufferRules.map((rule) => {
        const { peak, end } = bufferOutcome(rule, entry)
        return `${two(peak)}, ${two(end)}`
      }),
    ]),
  )
}
