// How a request gets to the server: HTTP with a bound on time, or anything else with the same shape (tests, a tuner
// in the same process). A reply is a status and a parsed body; everything else is a failure to be tried again.

export type Reply = {
  readonly status: number
  readonly body: unknown
  readonly retryAfterSeconds: number | null
}

/** `path` starts after /api/v1. Rejects if there was no reply. */
export type Transport = (request: {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** JSON text. */
  readonly body?: string
}) => Promise<Reply>

/** A reply must come within so many milliseconds. */
export const replyMsMax = 10_000

export function createHttpTransport(
  server: string,
  options: { token?: string | null; timeoutMs?: number } = {},
): Transport {
  const base = `${server.replace(/\/+$/, '')}/api/v1`
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json' }
  if (options.token) headers.authorization = `Bearer ${options.token}`
  return async ({ method, path, body }) => {
    const response = await fetch(base + path, {
      method,
      headers,
      signal: AbortSignal.timeout(options.timeoutMs ?? replyMsMax),
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.text()
    let parsed: unknown
    try {
      parsed = text === '' ? null : JSON.parse(text)
    } catch {
      throw new Error(
        `the reply of ${base + path} must be JSON, got status ${response.status} with other content`,
      )
    }
    const retryAfter = Number(response.headers.get('retry-after'))
    const retryAfterSeconds = Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null
    return { status: response.status, body: parsed, retryAfterSeconds }
  }
}
