// The sentences of transitions: what the regime is now, what it was, and by which test.

import { formatPercent } from '../../protocol/numbers.ts'
import type { Decision } from '../../protocol/vocabulary.ts'

type Told = Pick<Decision, 'reason' | 'transition'>

const since = ({ transition }: Told): string =>
  transition === undefined || transition.from === 'unknown'
    ? 'The regime is now known:'
    : `The regime has changed from ${transition.from} to`

function measured(told: Told, name: string): string {
  const { share, error, half } = told.reason.values
  const margin = error == null ? '' : ` ± ${formatPercent(1.96 * error)}`
  const relation = name === 'large-step' ? 'more' : 'less'
  return `${since(told)} ${name}. Annealing would take ${formatPercent(Math.max(0, share ?? 0))}${margin} off the loss, clearly ${relation} than ${formatPercent(half ?? 0)}.`
}

export const regimes: Readonly<Record<string, (told: Told) => string>> = {
  'regime-large-step': (told) => measured(told, 'large-step'),
  'regime-small-step': (told) => measured(told, 'small-step'),
  'regime-unstable': (told) => `${since(told)} unstable: training shows signs of coming apart.`,
}
