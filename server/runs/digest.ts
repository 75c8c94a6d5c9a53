// The digest of a telemetry batch: 128 bits of SHA-256 over what the batch becomes in the log. So two spellings of one
// content (empty columns, order of columns) have the same digest, and another content has another one.

import { createHash } from 'node:crypto'
import type { StoredObservation } from '../storage/storage.ts'

const digestCharacters = 22

export function digestOf(observations: readonly Pick<StoredObservation, 'kind' | 'body'>[]): string {
  const hash = createHash('sha256')
  // Apart: joined, a body of some hundred thousand characters would be copied first.
  for (const { kind, body } of observations) hash.update(`${kind}\n`).update(body).update('\n')
  return hash.digest('base64url').slice(0, digestCharacters)
}
