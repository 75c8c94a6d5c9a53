// Choosing a decision pins it in the address; going back to live lets the page follow the newest again.

import type { Decision } from '../../protocol/vocabulary.ts'
import { changeRunAddress } from '../state/address.ts'

/** The next or previous decision from the one shown; without holds unless they are asked for. */
export function neighbourOf(
  decisions: readonly Decision[],
  shown: Decision | null,
  direction: 1 | -1,
  holdsToo: boolean,
): Decision | undefined {
  const others = decisions.filter(({ kind }) => holdsToo || kind !== 'hold')
  const number = shown?.number ?? 0
  return direction > 0 ? others.find((d) => d.number > number) : others.findLast((d) => d.number < number)
}

export const choose = (number: number) =>
  changeRunAddress({ decision: number, step: null, panel: 'decision', form: null })
export const backToLive = () =>
  changeRunAddress({ decision: null, step: null, panel: 'decision', form: null })
