// How a receiver knows that a message is ours: the Standard Webhooks specification (https://www.standardwebhooks.com), version 1:
// HMAC-SHA256 over `id.timestamp.body`.

import { createHmac } from 'node:crypto'

const prefix = 'whsec_'

/** @param bytes 32 random bytes as base64url */
export const secretOf = (bytes: string): string => prefix + Buffer.from(bytes, 'base64url').toString('base64')

/**
 * The headers of a message.
 * @param id the same for every try of one message
 * @param seconds since 1970, of this try
 */
export function signedHeaders(
  secret: string,
  id: string,
  seconds: number,
  body: string,
): Readonly<Record<string, string>> {
  const key = Buffer.from(secret.slice(prefix.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  }
}
