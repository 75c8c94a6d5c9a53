// The digest of a telemetry batch: 128 bits of SHA-256 over what the batch becomes in the log. So two spellings of one
// content (empty columns, order of columns) have the same digest, and another content has another one.

import { createHash } from 'node:crypto'
import type { StoredObservation } from '../storage/storage.ts'

const digestCharacters = 22

export function digestOf(observations: readonly Pick<StoredObservation, 'kind' | 'body'>[]): string {
  const hash = createHash('sha256')
  for (const { kind, body } of observations) hash.update(`${kind}\n${body}\n`)
  return hash.digest('base64url').slice(0, digestCharacters)
}
