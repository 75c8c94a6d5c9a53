// What is damaged of one run is told where people and alarms look: in the log and, once, among the notices of /healthz, with
// the run's name. The server stays ready: the other runs go on, and what follows from a log is made anew.

import type { Clock } from '../clock.ts'
import type { InHand } from '../inHand.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Damage } from '../storage/damage.ts'
import type { Storage } from '../storage/storage.ts'

/** So many are remembered as told; with more the oldest may be told again. */
const toldMax = 1_000

type Parts = {
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'damaged'>
  readonly inHand: InHand
}

export class DamageNotices {
  private readonly parts: Parts
  private readonly told = new Set<string>()
  private writing: Promise<void> = Promise.resolve()

  constructor(parts: Parts) {
    this.parts = parts
    parts.storage.damage.listen((damage) => this.tell(damage))
  }

  private tell({ part, found, message }: Damage): void {
    if (this.told.has(message)) return
    if (this.told.size >= toldMax) this.told.clear()
    this.told.add(message)
    const { log, metrics, inHand } = this.parts
    metrics.damaged(part)
    log(part === 'log' ? 'error' : 'warn', 'a stored run is damaged', { detail: found })
    this.writing = this.writing.then(() => this.write(message))
    inHand.hold(this.writing)
  }

  private async write(detail: string): Promise<void> {
    const { storage, clock, log } = this.parts
    try {
      const known = await storage.notices()
      if (!known.some((notice) => notice.detail === detail))
        await storage.addNotice({ at: clock.now(), kind: 'damage', detail })
    } catch (error) {
      log('error', 'the notice of it could not be stored', { error })
    }
  }

  /** Resolves when what was met so far is told. */
  settled(): Promise<void> {
    return this.writing
  }
}
