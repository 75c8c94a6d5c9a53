// A server for tests that demands tokens, called as its admin, and what makes and uses others.

import type { Scope } from '../../protocol/vocabulary.ts'
import { startTestServer, type TestServer } from './testServer.ts'

export type ClosedServer = TestServer & {
  make(
    scopes: readonly Scope[],
    more?: object,
  ): Promise<{ readonly token: { readonly id: string; readonly name: string }; readonly secret: string }>
  /** A call with another token, or with none. */
  callWith(
    secret: string | undefined,
    method: string,
    path: string,
    body?: unknown,
  ): ReturnType<TestServer['call']>
}

export async function startClosedServer(): Promise<ClosedServer> {
  const server = await startTestServer({ config: { requireTokens: true } })
  server.token = (await server.app.tokens.first())!.secret
  let names = 0
  return Object.assign(server, {
    make: async (scopes: readonly Scope[], more: object = {}) => {
      const body = { name: `token ${++names}`, scopes, ...more }
      const answer = await server.call('POST', '/api/v1/tokens', body)
      if (answer.status !== 201) throw new Error(`no token was made: ${answer.body.detail}`)
      return answer.body
    },
    callWith: (secret: string | undefined, method: string, path: string, body?: unknown) =>
      server.call(method, path, body, {
        authorization: secret === undefined ? 'none' : `Bearer ${secret}`,
      }),
  })
}
