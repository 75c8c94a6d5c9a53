// Which servers share the database, and which of them cares for what (decision record 0040). Each says in a row of the database
// that it is there, and reads there who else is. What a run, a webhook or a round of tidying falls to follows from their ids
// alone (rendezvous hashing: when a server comes or goes, only what falls to it moves), so nothing has to be agreed upon.
//
// That two of them believe otherwise for a moment costs time and nothing else: who writes to a run says how long
// it believes the log to be, and is refused where another was faster (storage/fence.ts).

import { createHash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Replica, ReplicaStore, Versions } from '../storage/replicas.ts'

export const beatMilliseconds = 300
/** Who has not been heard of for so long counts as gone. */
export const silentMilliseconds = 1_500
/** Who could not be reached is passed over for so long: by then it has been heard of again, or is gone. */
const avoidedMilliseconds = 2_000

export type ReplicasOptions = {
  readonly store: ReplicaStore
  readonly clock: Clock
  readonly log: Log
  /** Its address without a port is that of the port that it listens on. */
  readonly self: Replica
  /** Servers have come or gone. */
  readonly onChange: () => void
  /** Another server may have changed the tokens, the webhooks, or what is owed to one. */
  readonly onVersions: (before: Versions, now: Versions) => Promise<void>
}

/** Where a key falls to a server. */
function weight(replica: Replica, key: string): number {
  return createHash('sha256').update(`${replica.id}\n${key}`).digest().readUIntBE(0, 6)
}

/** The one of them that a key falls to. @param replicas one or more */
export function chosen(replicas: readonly Replica[], key: string): Replica {
  return replicas.reduce((best, one) => (weight(one, key) > weight(best, key) ? one : best))
}

/** Made once, as making one takes longer than all else that a request asks here. */
const { compare } = new Intl.Collator('en', { numeric: true })
const isNewer = (one: Replica, other: Replica): boolean => compare(one.tunerVersion, other.tunerVersion) > 0

/** Those that fold with the newest tuner: while an update goes from server to server, runs fall to the new ones. */
export const newest = (replicas: readonly Replica[]): readonly Replica[] =>
  replicas.filter((one) => !replicas.some((other) => isNewer(other, one)))

export class Replicas {
  private readonly options: ReplicasOptions
  private self: Replica
  private all: readonly Replica[]
  /** As it was when this one read last what they count. */
  private versions: Versions = { deliveries: -1, tokens: -1, webhooks: -1 }
  /** By id, until when. */
  private readonly avoided = new Map<string, number>()
  private cancel: (() => void) | undefined
  private beating: Promise<void> = Promise.resolve()
  private isStopped = false
  private isSilent = false

  constructor(options: ReplicasOptions) {
    this.options = options
    this.self = options.self
    this.all = [this.self]
  }

  /** Resolves when the others can know of this one. @param port that it listens on */
  async start(port: number): Promise<void> {
    const address = new URL(this.self.address)
    if (address.port === '') address.port = String(port)
    this.self = { ...this.self, address: address.origin }
    await this.goOn()
  }

  private goOn(): Promise<void> {
    this.beating = this.beat().finally(() => {
      if (!this.isStopped) this.cancel = this.options.clock.after(beatMilliseconds, () => void this.goOn())
    })
    return this.beating
  }

  /** What falls to this one falls to others from now on. */
  async stop(): Promise<void> {
    const { store, log } = this.options
    this.isStopped = true
    this.cancel?.()
    await this.beating
    await store
      .leave(this.self.id)
      .catch((error) => log('warn', 'the other servers were not told', { error }))
  }

  /** Those that are there, this one first. */
  get present(): readonly Replica[] {
    return this.all
  }

  /** The server that a key falls to; undefined = this one. */
  ownerOf(key: string): Replica | undefined {
    const { clock } = this.options
    const now = clock.monotonic()
    const reached = this.all.filter(({ id }) => (this.avoided.get(id) ?? now) <= now)
    const owner = chosen(newest(reached), key)
    return owner.id === this.self.id ? undefined : owner
  }

  owns(key: string): boolean {
    return this.ownerOf(key) === undefined
  }

  /** Whether none of them has a newer tuner. */
  isNewest(): boolean {
    return newest(this.all).some(({ id }) => id === this.self.id)
  }

  /** It did not answer. */
  avoid(id: string): void {
    this.avoided.set(id, this.options.clock.monotonic() + avoidedMilliseconds)
  }

  private async beat(): Promise<void> {
    const { store, log, onChange, onVersions } = this.options
    try {
      const { replicas, versions } = await store.beat(this.self, silentMilliseconds)
      this.isSilent = false
      const before = idsOf(this.all)
      this.all = replicas
      for (const id of this.avoided.keys())
        if (!replicas.some((one) => one.id === id)) this.avoided.delete(id)
      if (idsOf(replicas) !== before) {
        log('info', 'the servers on this database', { addresses: replicas.map(({ address }) => address) })
        onChange()
      }
      if (JSON.stringify(this.versions) !== JSON.stringify(versions))
        await onVersions(this.versions, versions)
      // Read again if that failed.
      this.versions = versions
    } catch (error) {
      // Who is there stays as it was: without the database nothing can be stored anyway.
      if (!this.isSilent) log('warn', 'the other servers could not be told that this one is there', { error })
      this.isSilent = true
    }
  }
}

const idsOf = (replicas: readonly Replica[]): string =>
  replicas
    .map(({ id }) => id)
    .sort()
    .join()
