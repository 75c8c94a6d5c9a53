// The list of a run's signals that have no panel of their own yet: searched by words, opened and closed by a press. Own
// metrics come first, as nobody else shows them.

import { useSignal } from '@preact/signals'
import { formatPlural } from '../../protocol/numbers.ts'
import { isOwnMetric, signalWords } from './signalChart.ts'

export type PickerProps = {
  /** All signals that the run has. */
  readonly names: readonly string[]
  /** Those that have panels. */
  readonly open: readonly string[]
  readonly setOpen: (signals: readonly string[]) => void
}

const shownMax = 200

/** Names that hold every word, own metrics first, then by what they are called. */
export function foundSignals(names: readonly string[], search: string): string[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const text = (name: string) => `${signalWords(name)} ${name}`.toLowerCase()
  const rank = (name: string) => (isOwnMetric(name) ? 0 : 1)
  return names
    .filter((name) => words.every((word) => text(name).includes(word)))
    .sort((a, b) => rank(a) - rank(b) || signalWords(a).localeCompare(signalWords(b), 'en'))
}

export function SignalPicker({ names, open, setOpen }: PickerProps) {
  const search = useSignal('')
  const found = foundSignals(names, search.value)
  const toggle = (name: string) =>
    setOpen(open.includes(name) ? open.filter((other) => other !== name) : [...open, name])
  return (
    <section class="picker" aria-label="More signals">
      <div class="picker-head">
        <input
          type="search"
          aria-label="Search signals"
          placeholder="Search signals"
          value={search.value}
          autofocus
          onInput={(event) => {
            search.value = event.currentTarget.value
          }}
        />
        <span role="status">{formatPlural(found.length, 'signal')}</span>
        {open.length > 0 && (
          <button type="button" class="link" onClick={() => setOpen([])}>
            Close all
          </button>
        )}
      </div>
      <ul>
        {found.slice(0, shownMax).map((name) => (
          <li key={name}>
            <label title={name}>
              <input type="checkbox" checked={open.includes(name)} onChange={() => toggle(name)} />
              <span class="picker-name">{signalWords(name)}</span>
              <span class="picker-kind">{isOwnMetric(name) ? 'own metric' : name}</span>
            </label>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p>No signal matches.</p>}
    </section>
  )
}
