// What can be done with the runs that are picked: compare them, keep them on top, hold the others against one.

import { formatPlural } from '../../protocol/numbers.ts'
import type { RunSummary } from '../../protocol/vocabulary.ts'
import { formatAddress, goTo } from '../state/address.ts'
import { comparing } from '../state/compareAddress.ts'
import type { RunsAddress } from '../state/listAddress.ts'

export const comparisonOf = ({ pick, base }: RunsAddress) => comparing(pick, base)

const without = (list: readonly string[], ids: readonly string[]) => list.filter((id) => !ids.includes(id))

export function PickBar(props: { address: RunsAddress; named: ReadonlyMap<string, RunSummary> }) {
  const { address, named } = props
  const { pick, pin, base } = address
  if (pick.length === 0 && pin.length === 0 && base === null) return null
  const nameOf = (id: string) => named.get(id)?.options.name ?? id
  const arePinned = pick.length > 0 && pick.every((id) => pin.includes(id))
  const [only] = pick
  return (
    <section class="pick-bar" aria-label="Picked runs">
      {pick.length > 1 ? (
        <a class="button button-primary" href={formatAddress(comparisonOf(address))}>
          Compare {formatPlural(pick.length, 'run')}
        </a>
      ) : (
        pick.length === 1 && <span class="sub">Pick another one to compare.</span>
      )}
      {pick.length > 0 && (
        <button
          type="button"
          class="button"
          onClick={() =>
            goTo({
              ...address,
              pin: arePinned ? without(pin, pick) : [...new Set([...pin, ...pick])].slice(0, 8),
            })
          }
        >
          {arePinned ? 'Unpin' : 'Pin to the top'}
        </button>
      )}
      {pick.length === 1 && only !== undefined && base !== only && (
        <button type="button" class="button" onClick={() => goTo({ ...address, base: only })}>
          Use as base
        </button>
      )}
      {pick.length > 0 && (
        <button type="button" class="button button-quiet" onClick={() => goTo({ ...address, pick: [] })}>
          Clear picks
        </button>
      )}
      <span class="space" />
      {base !== null && (
        <span class="base-words" title={nameOf(base)}>
          Held against <b>{nameOf(base)}</b>
        </span>
      )}
      {base !== null && (
        <button type="button" class="button button-quiet" onClick={() => goTo({ ...address, base: null })}>
          No base
        </button>
      )}
      {pin.length > 0 && pick.length === 0 && (
        <button type="button" class="button button-quiet" onClick={() => goTo({ ...address, pin: [] })}>
          Unpin all
        </button>
      )}
    </section>
  )
}
