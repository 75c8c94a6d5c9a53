// What cannot be read as a request at all never reaches express: it is answered on the bare connection, as a problem like all
// others, and the connection ends.

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ProblemCode, problemOf, ServerError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics/metrics.ts'

const said: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  HPE_HEADER_OVERFLOW: [
    'headers-too-large',
    'the address and the headers of a request must be at most 16 kB together: send fewer or shorter ones',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'the request did not arrive in time: send it again'],
}

/** There is no path to be told, nor who asks; of what came nothing is logged. */
export const answerUnreadable =
  (log: Log, metrics: Pick<Metrics, 'refused'>) =>
  (error: NodeJS.ErrnoException, socket: Duplex): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const [code, detail] = said[error.code ?? ''] ?? [
      'malformed-request',
      `this is no HTTP request (${error.code})`,
    ]
    const problem = problemOf(new ServerError(code, detail))
    metrics.refused(code)
    const from = (socket as Partial<Socket>).remoteAddress
    log('info', 'what is no request', { status: problem.status, code, from })
    const body = JSON.stringify(problem)
    const head = [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
