// Exactly once: what a batch's sequence number says of it, beside what the client has sent before. A batch that was sent
// before is answered, not applied again; the same number on another content is refused, because one of the two would
// else be lost in silence.

import { limits } from '../../protocol/schemas.ts'
import type { Telemetry } from '../../protocol/vocabulary.ts'
import { ServerError } from '../errors.ts'
import type { Storage, StoredObservation, StoredRow } from '../storage/storage.ts'
import type { ActiveRun } from './activeRuns.ts'
import { encodeObservation } from './observationCodec.ts'
import { observationsOf } from './observationsOf.ts'

const nowhere = { number: 0, receivedAt: 0 }

/** What the client has sent last; 0 = nothing. Of one that is not among the newest the storage knows. */
export async function lastSequence(storage: Storage, run: ActiveRun, clientId: string): Promise<number> {
  return run.sequences.get(clientId) ?? (await storage.lastSequence(run.record.id, clientId))
}

/** Makes the client the newest of those that are kept in memory. */
export function remember({ sequences }: ActiveRun, clientId: string, sequence: number): void {
  sequences.delete(clientId)
  sequences.set(clientId, sequence)
  if (sequences.size > limits.clientsMax) sequences.delete(sequences.keys().next().value!)
}

export const sequenceGap = ({ clientId, sequence }: Telemetry, last: number): ServerError =>
  new ServerError(
    'sequence-gap',
    `sequence of client "${clientId}" must be ${last + 1}, got ${sequence}: batches ${last + 1} to ${sequence - 1} did not arrive; send them first`,
    {
      expectedSequence: last + 1,
      errors: [{ pointer: '/sequence', detail: `must be ${last + 1}` }],
    },
  )

const isEqual = (a: StoredRow, b: StoredRow): boolean =>
  a.body === b.body && Buffer.compare(a.columns ?? nothing, b.columns ?? nothing) === 0
const nothing = new Uint8Array(0)

/** Whether this batch becomes in the log what is there: two spellings (1.0 for 1, empty columns, order of columns) are one content. */
function isThere(telemetry: Telemetry, stored: readonly StoredObservation[]): boolean {
  const told = observationsOf(telemetry).map((body) => encodeObservation(body, nowhere))
  return (
    told.length === stored.length &&
    told.every((body, i) => body.kind === stored[i]!.kind && isEqual(body, stored[i]!))
  )
}

/**
 * @param stored what the client sent as this sequence; undefined = not known.
 * @throws ServerError `sequence-reused`.
 */
export function checkRepeat(
  telemetry: Telemetry,
  stored: readonly StoredObservation[] | undefined,
  last: number,
): void {
  if (stored === undefined || isThere(telemetry, stored)) return
  const { clientId, sequence } = telemetry
  throw new ServerError(
    'sequence-reused',
    `sequence ${sequence} of client "${clientId}" was used for another content, which is stored; this one is not: the next is ${last + 1}, and a process that starts anew needs a clientId of its own`,
    {
      expectedSequence: last + 1,
      errors: [{ pointer: '/sequence', detail: `was used for another content; the next is ${last + 1}` }],
    },
  )
}
