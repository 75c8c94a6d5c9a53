// An action over HTTP as the audit has it. Handlers say what it was and why, once they have read the body.

import type { RequestHandler, Response } from 'express'
import type { ActionNote } from '../access/audit.ts'
import { admissionOf, callerOf } from './admission.ts'
import { parameter, requestIdOf } from './answer.ts'

/** What is done, in a few words, and the reason that was given. */
export function noteAction(response: Response, detail: string, reason = ''): void {
  response.locals.action = { detail, reason } satisfies ActionNote
}

export function audited(operation: string): RequestHandler {
  return async (request, response, next) => {
    const runId = parameter(request, 'id')
    const { audit, from } = admissionOf(response)!
    const end = await audit.begin(callerOf(response), {
      operation,
      runId: runId === '' ? null : runId,
      from,
      requestId: requestIdOf(response),
    })
    let isOver = false
    const over = () => {
      if (isOver) return
      isOver = true
      const note = (response.locals.action as ActionNote | undefined) ?? { detail: '', reason: '' }
      end(response.headersSent ? response.statusCode : null, note)
    }
    response.once('finish', over)
    response.once('close', over)
    next()
  }
}
