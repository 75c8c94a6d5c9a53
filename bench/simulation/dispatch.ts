// A request as HTTP would answer it, by the server's own code: read, refused and answered as JSON text.

import { encodeNumber } from '../../protocol/nonFinite.ts'
import { createRunSchema } from '../../protocol/schemas.ts'
import { problemOf, ServerError } from '../../server/errors.ts'
import { parseBody } from '../../server/http/jsonText.ts'
import { batchOf } from '../../server/http/telemetryText.ts'
import { parse } from '../../server/http/validate.ts'
import type { Runs } from '../../server/runs/runs.ts'
import type { Reply } from '../../trainer/reporting/transport.ts'

export type Request = { readonly method: string; readonly path: string; readonly body?: string | undefined }

export async function dispatch(runs: Runs, { method, path, body = '' }: Request): Promise<unknown> {
  const [, first, id = '', what] = path.split('/')
  const read = () => parseBody(Buffer.from(body))
  if (first !== 'runs') throw new ServerError('not-found', path)
  if (method === 'POST' && id === '') return (await runs.create(parse(createRunSchema, read()), 'job')).answer
  if (method === 'POST' && what === 'telemetry') return runs.telemetry(id, batchOf(Buffer.from(body)))
  return runs.summary(id)
}

/** `code` is that of a refusal. */
export async function replyTo(
  request: Request,
  answer: (request: Request) => Promise<unknown>,
  broken: (sentence: string) => void,
): Promise<Reply & { readonly code?: string }> {
  try {
    return { status: 200, body: wired(await answer(request)), retryAfterSeconds: null }
  } catch (error) {
    const problem = problemOf(error)
    if (problem.code === 'internal')
      broken(`${request.method} ${request.path} failed: ${(error as Error).stack}`)
    const { retryAfterSeconds = null } = error instanceof ServerError ? error.extras : {}
    return { status: problem.status, body: wired(problem), retryAfterSeconds, code: problem.code }
  }
}

/** A value as it comes out of a JSON text. */
const wired = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part) => (typeof part === 'number' ? encodeNumber(part) : part)))
