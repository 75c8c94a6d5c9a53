// What a record says of the final loss: at the switch what is expected, at the end whether it came true.

import { formatNumber } from '../../protocol/numbers.ts'
import type { Decision } from '../../protocol/vocabulary.ts'

export type Promised = Pick<Decision, 'promised' | 'reached' | 'isInside'>

const range = ({ low, high }: NonNullable<Decision['promised']>): string =>
  `${formatNumber(low)} to ${formatNumber(high)}`

export const expectedLoss = (promised: Decision['promised']): string =>
  promised == null ? '' : ` Expected final loss: ${formatNumber(promised.value)} (${range(promised)}).`

/** What came of what was promised, on the same examples. */
export function keptPromise({ promised, reached, isInside }: Promised): string {
  if (promised == null || reached == null) return ''
  const what = `${range(promised)} was promised`
  return isInside === true
    ? ` ${what}, and ${formatNumber(reached)} reached.`
    : ` ${what}; ${formatNumber(reached)}, reached on the same examples, lies ${reached > promised.high ? 'above' : 'below'} it.`
}
