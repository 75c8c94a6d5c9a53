// A receiver of webhooks on loopback for tests: it takes what comes, or answers as it is told.

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { vi } from 'vitest'

export type Received = {
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies of every shape
  readonly body: any
}
export type Receiver = {
  readonly port: number
  readonly url: string
  readonly received: Received[]
  /** Answers instead of 204, from now on. */
  answer: (response: ServerResponse, received: Received) => void
  /** Resolves when so many have come. */
  until(count: number): Promise<readonly Received[]>
  close(): Promise<void>
}

/** @param port 0 = any free one */
export async function startReceiver(port = 0): Promise<Receiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const one = { headers: request.headers, path: request.url ?? '', text, body: JSON.parse(text) }
      receiver.received.push(one)
      receiver.answer(response, one)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const at = (server.address() as AddressInfo).port
  const receiver: Receiver = {
    port: at,
    url: `http://127.0.0.1:${at}/hook`,
    received: [],
    answer: (response) => void response.writeHead(204).end(),
    until: async (count) => {
      await vi.waitFor(
        () => {
          if (receiver.received.length < count)
            throw new Error(`${receiver.received.length} of ${count} have come`)
        },
        { timeout: 20_000, interval: 10 },
      )
      return receiver.received
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return receiver
}
