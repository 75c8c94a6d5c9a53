// A run's state: icon and word, so that colour is never alone.

import type { RunSummary } from '../../protocol/vocabulary.ts'
import { nowMs } from '../state/clock.ts'
import { Icon } from './icons.tsx'
import { stateWords } from './words.ts'

export function StateChip(props: { run: Pick<RunSummary, 'state' | 'lastSeenAt'> }) {
  const { run } = props
  return (
    <span class={`chip chip-${run.state}`}>
      <Icon name={run.state} />
      {stateWords(run, nowMs.value)}
    </span>
  )
}
