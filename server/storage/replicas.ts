// What several servers on one database tell each other through it: who is there, and what they hold in memory that one of them
// has changed. Errors as in storage.ts.

import type { Server } from 'socket.io'

/** One of the servers. */
export type Replica = {
  /** Another one at each start. */
  readonly id: string
  /** Where the others reach it: http://host:port. */
  readonly address: string
  /** What a request of another replica has to bring, so that it is known for one. */
  readonly secret: string
  /** Of the tuner: runs are folded by the newest. */
  readonly tunerVersion: string
}

/** What carries words between the live sides of servers. */
export type LiveAdapter = NonNullable<Parameters<Server['adapter']>[0]>

/** Numbers that grow with each change of the tokens, of the webhooks, and of what is owed to them. */
export type Versions = Readonly<Record<'tokens' | 'webhooks' | 'deliveries', number>>

export type ReplicaStore = {
  /**
   * Says that this one is there, and who else is: those that have said so within `milliseconds`, by the clock of the
   * database.
   */
  beat(
    self: Replica,
    milliseconds: number,
  ): Promise<{ readonly replicas: readonly Replica[]; readonly versions: Versions }>
  /** It is about to stop. */
  leave(id: string): Promise<void>
  /** To be closed before the storage is. */
  liveAdapter(): LiveAdapter
}
