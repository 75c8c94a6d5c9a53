// How often a wrong token came from an address lately. A token cannot be guessed (256 bits), so this only keeps
// somebody who tries from costing more than the look at a number; a right token is let in all the same, or whoever
// sits behind the same proxy could shut out everyone there.

import type { Clock } from '../clock.ts'

/** Wrong tokens from one address within the time, before it is told to wait. */
export const attemptsMax = 20
export const attemptsMilliseconds = 60_000
/** Addresses that are remembered; the oldest goes first. */
const addressesMax = 1_000

type Entry = { readonly since: number; count: number }

export class Attempts {
  private readonly clock: Clock
  private readonly entries = new Map<string, Entry>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Whether the next wrong token from there is told to wait. */
  isOver(from: string): boolean {
    const known = this.entries.get(from)
    const age = known === undefined ? 0 : this.clock.now() - known.since
    return known !== undefined && age >= 0 && age < attemptsMilliseconds && known.count >= attemptsMax
  }

  /** Counts a wrong token. `waitSeconds` is 0 unless there were too many; `isFirst`: there were not, until now. */
  failed(from: string): { readonly waitSeconds: number; readonly isFirst: boolean } {
    const now = this.clock.now()
    const known = this.entries.get(from)
    const age = known === undefined ? 0 : now - known.since
    // A clock that was set back begins anew.
    const entry =
      known !== undefined && age >= 0 && age < attemptsMilliseconds ? known : { since: now, count: 0 }
    entry.count++
    this.entries.delete(from)
    this.entries.set(from, entry)
    if (this.entries.size > addressesMax) this.entries.delete(this.entries.keys().next().value!)
    const waitSeconds =
      entry.count > attemptsMax ? Math.ceil((entry.since + attemptsMilliseconds - now) / 1_000) : 0
    return { waitSeconds, isFirst: entry.count === attemptsMax + 1 }
  }
}
