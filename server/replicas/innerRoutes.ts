// What servers of one database ask of each other. Who asks shows the secret that this server has put into its row of the database,
// another one at each start; whether the job may write to the run was asked where the job came in.

import { createHash, timingSafeEqual } from 'node:crypto'
import { type RequestHandler, Router } from 'express'
import { parameter } from '../http/answer.ts'
import { readBody } from '../http/body.ts'
import { held } from '../http/routes.ts'
import { notAReplica, secretHeader } from './forward.ts'

const digest = (secret: string) => createHash('sha256').update(secret).digest()

/** @param take takes a batch, and gives the answer to it */
export function innerRoutes(
  secret: string,
  take: (runId: string, body: Buffer) => Promise<unknown>,
): RequestHandler {
  const wanted = digest(secret)
  const router = Router({ strict: true })
  router.use((request, response, next) => {
    const shown = request.headers[secretHeader]
    if (typeof shown !== 'string' || !timingSafeEqual(digest(shown), wanted)) throw notAReplica()
    response.locals.operation = 'forwarded'
    response.set({ [secretHeader]: 'own', 'Cache-Control': 'no-store' })
    // As it is called where it came in.
    response.set('X-Request-Id', request.get('x-request-id') ?? '')
    next()
  })
  const telemetry: RequestHandler = async (request, response) => {
    response.json(await take(parameter(request, 'id'), await readBody(request)))
  }
  router.post('/runs/:id/telemetry', held(telemetry))
  return router
}
