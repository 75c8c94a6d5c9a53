// What makes one server one of several: nothing, where it is alone.

import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Tuner } from '../runs/tuner.ts'
import type { Versions } from '../storage/replicas.ts'
import type { Storage } from '../storage/storage.ts'
import { Forwarder } from './forward.ts'
import { Replicas } from './replicas.ts'

export type TogetherOptions = {
  readonly config: Pick<Config, 'replicaAddress'>
  readonly storage: Storage
  readonly tuner: Tuner
  readonly clock: Clock
  readonly log: Log
  readonly newId: () => string
  readonly newSecret: () => string
  /** Servers have come or gone. */
  readonly onChange: () => void
  /** Another server may have changed what is counted. */
  readonly onVersions: (before: Versions, now: Versions) => Promise<void>
}

export function together(options: TogetherOptions): {
  readonly replicas?: Replicas
  readonly forwarder?: Forwarder
} {
  const { config, storage, tuner, clock, log, newId, newSecret, onChange, onVersions } = options
  if (config.replicaAddress === null || storage.replicas === undefined) return {}
  const replicas: Replicas = new Replicas({
    ...{ store: storage.replicas, clock, log },
    self: {
      id: newId(),
      address: config.replicaAddress,
      secret: newSecret(),
      tunerVersion: tuner.version,
    },
    onChange: () => {
      forwarder.breakOff()
      onChange()
    },
    onVersions,
  })
  const forwarder = new Forwarder(replicas, log)
  return { replicas, forwarder }
}
