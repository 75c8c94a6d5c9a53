// A run's state: icon and word, so that colour is never alone.

import { nowMs } from '../state/clock.ts'
import { Icon } from './icons.tsx'
import { isNoBetter, type RunOfChip, stateWords } from './notes.ts'

export function StateChip(props: { run: RunOfChip }) {
  const { run } = props
  return (
    <span class={`chip chip-${run.state}`}>
      <Icon name={isNoBetter(run) ? 'alert' : run.state} size={10} />
      {stateWords(run, nowMs.value)}
    </span>
  )
}
