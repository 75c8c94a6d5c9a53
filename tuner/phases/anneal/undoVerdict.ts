// Was the switch a mistake? Asked twice in the anneal, at a quarter and at half of it, with the probes made since.
// Two signs. Staying still gains plainly more than the switch rule allows: the lower 95 % bound of R·p exceeds 9·b,
// with b as it was at the switch (at the falling rate less noise is left, so that b measured now would be too small).
// p is what the anneal's own probes show, because the curve fitted up to the switch is what was mistaken: the fall of
// averaged losses since, less the gain promised so far (averages over short windows lose noise to the anneal too), over
// the large steps S since; and for the rest of the run less than that, as a valley flattens: × (S/(S + R/2))^1.5.
// Or the anneal does not bring what was promised: so far under half of it, beyond the error, while held-out loss of
// averaged weights still falls; of noise of size η the share 1 − η/η_large is gone. Pure; O(1).

import type { DecisionTest } from '../../../protocol/vocabulary.ts'
import { undoGainShare, undoStayingFactor } from '../../constants.ts'

type Side = { readonly value: number; readonly standardError: number | null }

export type UndoInput = {
  /** By how much averaged losses have fallen since the switch, and what the anneal has taken off the raw held-out loss. */
  readonly fall: Side | null
  readonly realised: Side | null
  /** What the whole anneal was to take off, and b, both at the switch. */
  readonly expected: number | null
  readonly scale: number | null
  /** Rate now as a share of the first one. */
  readonly rateShare: number
  /** Run length in large steps at the switch and now, and steps left. */
  readonly largeStepsBefore: number
  readonly largeSteps: number
  readonly stepsLeft: number
}

export type UndoVerdict = { readonly because: string; readonly test: DecisionTest }

/** One-sided and two-sided 95 % points of the normal distribution. */
const oneSided = 1.645
const twoSided = 1.96

export function undoVerdict(input: UndoInput): UndoVerdict | null {
  const staying = stayingSide(input)
  return staying === null ? null : (stayingVerdict(staying, input) ?? gainVerdict(staying, input))
}

type Measured = { readonly value: number; readonly standardError: number }

/** R·p by the anneal's own probes; null = not measured. */
function stayingSide(input: UndoInput): Measured | null {
  const { fall, expected, rateShare, largeSteps, largeStepsBefore, stepsLeft } = input
  const taken = largeSteps - largeStepsBefore
  if (fall === null || fall.standardError === null || expected === null || !(taken > 0)) return null
  const flattening = (largeSteps / (largeSteps + stepsLeft / 2)) ** 1.5
  const factor = (stepsLeft / taken) * flattening
  return {
    value: factor * (fall.value - expected * (1 - rateShare)),
    standardError: factor * fall.standardError,
  }
}

function stayingVerdict(staying: Measured, { scale }: UndoInput): UndoVerdict | null {
  if (scale === null || !(scale > 0)) return null
  const right = undoStayingFactor * scale
  if (!(staying.value - oneSided * staying.standardError > right)) return null
  return {
    because: 'staying still gains plainly more than annealing after all',
    test: testOf(staying, '>', {
      value: right,
      standardError: null,
    }),
  }
}

function gainVerdict(staying: Measured, { realised, expected, rateShare }: UndoInput): UndoVerdict | null {
  if (realised === null || realised.standardError === null || expected === null || !(expected > 0))
    return null
  const promised = undoGainShare * expected * (1 - rateShare)
  const isFalling = staying.value - oneSided * staying.standardError > 0
  if (!isFalling || !(realised.value + twoSided * realised.standardError < promised)) return null
  return {
    because: 'the anneal gains under half of what was promised, and staying still gains',
    test: testOf(realised, '<', {
      value: promised,
      standardError: null,
    }),
  }
}

const testOf = (
  left: DecisionTest['left'],
  relation: '<' | '>',
  right: DecisionTest['right'],
): DecisionTest => ({
  key: 'marginal-cost',
  left,
  relation,
  right,
  satisfied: true,
  hits: { met: 1, of: 1 },
  probability: null,
})
