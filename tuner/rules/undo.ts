// Was the switch a mistake? Asked twice in the anneal, at a quarter and at half of it, with the probes made since.
// Two signs. Staying still gains plainly more than the switch rule allows: the lower 95 % bound of R·p exceeds 3·b,
// with b as it was at the switch (at the falling rate less noise is left, so that b measured now would be too small).
// Or the anneal does not bring what was promised: so far under half of it, beyond the error, while held-out loss of
// averaged weights still falls; of noise of size η the share 1 − η/η_large is gone. Pure; O(1).

import type { DecisionTest } from '../../protocol/vocabulary.ts'
import { undoGainShare, undoStayingFactor } from '../constants.ts'

type Side = { readonly value: number; readonly standardError: number | null }

export type UndoInput = {
  /** R·p from here to the end; undefined = no fit. */
  readonly staying: Side | undefined
  /** b at the switch. */
  readonly scale: number | null
  /** What the anneal has taken off the raw held-out loss, and what the whole of it was to take off. */
  readonly realised: Side | null
  readonly expected: number | null
  /** Rate now as a share of the first one. */
  readonly rateShare: number
}

export type UndoVerdict = { readonly because: string; readonly test: DecisionTest }

/** One-sided and two-sided 95 % points of the normal distribution. */
const oneSided = 1.645
const twoSided = 1.96

export function undoVerdict(input: UndoInput): UndoVerdict | null {
  return stayingVerdict(input) ?? gainVerdict(input)
}

function stayingVerdict({ staying, scale }: UndoInput): UndoVerdict | null {
  if (staying === undefined || staying.standardError === null || scale === null || !(scale > 0)) return null
  const right = undoStayingFactor * scale
  if (!(staying.value - oneSided * staying.standardError > right)) return null
  return {
    because: 'staying still gains plainly more than annealing after all',
    test: testOf({ name: 'what staying still gains', ...staying }, '>', {
      name: 'one and a half times what annealing gains',
      value: right,
      standardError: null,
    }),
  }
}

function gainVerdict({ staying, realised, expected, rateShare }: UndoInput): UndoVerdict | null {
  if (realised === null || realised.standardError === null || expected === null || !(expected > 0))
    return null
  if (staying === undefined || staying.standardError === null) return null
  const promised = undoGainShare * expected * (1 - rateShare)
  const isFalling = staying.value - oneSided * staying.standardError > 0
  if (!isFalling || !(realised.value + twoSided * realised.standardError < promised)) return null
  return {
    because: 'the anneal gains under half of what was promised, and staying still gains',
    test: testOf({ name: 'what the anneal has gained', ...realised }, '<', {
      name: 'half of what was promised so far',
      value: promised,
      standardError: null,
    }),
  }
}

const testOf = (
  left: DecisionTest['left'],
  relation: '<' | '>',
  right: DecisionTest['right'],
): DecisionTest => ({ left, relation, right, satisfied: true, consecutive: '1 of 1', probability: 0.95 })
