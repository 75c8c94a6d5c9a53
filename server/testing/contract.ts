// Holds every answer that a test gets to the contract: its status is one that the operation names, a success has exactly
// the fields of its schema (an unknown one would be undocumented), and a failure is a problem with a code that the
// operation names.

import { isDeepStrictEqual } from 'node:util'
import { problemSchema } from '../../protocol/schemas.ts'
import { type Method, type Operation, operations, problemsOf } from '../http/operations.ts'

type Known = { readonly path: string; readonly operation: Operation }

/** The operation behind an address; undefined for the page, other methods, and what does not exist. */
function operationAt(method: string, address: string): Known | undefined {
  const [path = ''] = address.split('?')
  const name = method.toLowerCase() as Method
  const segments = path.split('/')
  for (const [template, methods] of Object.entries(operations)) {
    const parts = template.split('/')
    const operation = methods[name]
    const fits =
      parts.length === segments.length &&
      parts.every((part, i) => part.startsWith('{') || part === segments[i])
    if (fits && operation !== undefined) return { path: template, operation }
  }
  return undefined
}

/** What of an answer is not in the contract; undefined = all of it is. */
function departure({ path, operation }: Known, status: number, body: unknown): string | undefined {
  const { id, answers, otherMedia, answerLines, isConditional } = operation
  if (status === 304 && isConditional) return undefined
  const schema = answers[status]
  if (schema === undefined) {
    const { data, error } = problemSchema.safeParse(body)
    if (data === undefined) return `neither in the contract of ${id} nor a problem: ${error.message}`
    const codes: readonly string[] = problemsOf(path, operation)
    return codes.includes(data.code) ? undefined : `problem ${data.code} is not in the contract of ${id}`
  }
  if (schema === null || (otherMedia !== undefined && typeof body === 'string')) return undefined
  if (answerLines !== undefined) {
    const lines = String(body).trimEnd().split('\n')
    const bad = lines.findIndex((line) => !schema.safeParse(JSON.parse(line)).success)
    return bad === -1 ? undefined : `line ${bad + 1} is not what ${id} says`
  }
  const { data, error } = schema.safeParse(body)
  if (error !== undefined) return `not what ${id} says: ${error.message}`
  return isDeepStrictEqual(data, body) ? undefined : `${id} has fields that its schema does not name`
}

/** @throws Error naming the call and what is not in the contract. */
export function checkContract(method: string, address: string, status: number, body: unknown): void {
  const known = operationAt(method, address)
  const what = known && departure(known, status, body)
  if (what !== undefined) throw new Error(`${method} ${address} answered ${status}: ${what}`)
}
