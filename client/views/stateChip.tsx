// A run's state: icon and word, so that colour is never alone.

import type { RunSummary } from '../../protocol/vocabulary.ts'
import { nowMs } from '../state/clock.ts'
import { Icon } from './icons.tsx'
import { isNoBetter, stateWords } from './notes.ts'

export function StateChip(props: { run: Pick<RunSummary, 'state' | 'lastSeenAt' | 'outcome'> }) {
  const { run } = props
  return (
    <span class={`chip chip-${run.state}`}>
      <Icon name={isNoBetter(run) ? 'alert' : run.state} size={10} />
      {stateWords(run, nowMs.value)}
    </span>
  )
}
