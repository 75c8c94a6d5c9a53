// What tells whether two decisions are the same without sending them: the beginning of the SHA-256 of their JSON.

import { createHash } from 'node:crypto'
import { decisionHashCharacters } from '../../protocol/schemas.ts'

export const decisionHash = (body: string): string =>
  createHash('sha256').update(body).digest('hex').slice(0, decisionHashCharacters)
