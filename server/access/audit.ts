// Who did what, from where, why, and what came of it: one entry for each action on runs and tokens that a person may take.
// It is written before the action is, so that nothing is done without its trace, and completed by what was answered.

import type { AuditEntry } from '../../protocol/vocabulary.ts'
import { type Clock, isoTime } from '../clock.ts'
import { ServerError } from '../errors.ts'
import { InHand } from '../inHand.ts'
import type { Log } from '../log.ts'
import type { AccessStore, StoredAction } from '../storage/access.ts'
import type { Caller } from './caller.ts'

export type Action = Pick<StoredAction, 'operation' | 'runId' | 'from' | 'requestId'>
/** What is known once the body was read. */
export type ActionNote = Pick<StoredAction, 'detail' | 'reason'>
/** Completes the entry. `status` null = it was never answered. */
export type EndAction = (status: number | null, note: ActionNote) => void

export class Audit {
  private readonly store: AccessStore
  private readonly clock: Clock
  private readonly log: Log
  private readonly inHand: InHand

  constructor(options: {
    readonly store: AccessStore
    readonly clock: Clock
    readonly log: Log
    readonly inHand?: InHand
  }) {
    this.store = options.store
    this.clock = options.clock
    this.log = options.log
    this.inHand = options.inHand ?? new InHand()
  }

  /** @throws ServerError where it cannot be written; but on a full disk, so that a deletion can free space, the log has it. */
  async begin({ name, tokenId }: Pick<Caller, 'name' | 'tokenId'>, action: Action): Promise<EndAction> {
    const { store, clock, log, inHand } = this
    const entry = { at: clock.now(), caller: name, tokenId, ...action }
    try {
      const number = await store.beginAction(entry)
      return (status, note) => {
        const ended = store
          .endAction(number, status, note)
          .catch((error) =>
            log('error', 'an action was not completed in the audit', { number, status, error }),
          )
        inHand.hold(ended)
      }
    } catch (error) {
      if (!(error instanceof ServerError && error.code === 'disk-full')) throw error
      log('error', 'an action that the audit has no room for', entry)
      return (status, note) => log('error', 'its end', { requestId: action.requestId, status, ...note })
    }
  }

  /** Newest first, before a number. */
  async read(query: {
    readonly before: number
    readonly limit: number
    readonly runId?: string
  }): Promise<AuditEntry[]> {
    return (await this.store.actions(query)).map(({ at, ...entry }) => ({ ...entry, at: isoTime(at) }))
  }
}
