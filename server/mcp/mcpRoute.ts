// `/mcp`: the Model Context Protocol over HTTP, without sessions, by the official SDK. It speaks the web's Request and Response;
// this file is what lies between them and Node. Who may call is decided before, as for every address.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import type { RequestHandler } from 'express'
import type { Caller } from '../access/caller.ts'
import { callerOf } from '../http/admission.ts'
import { readJson } from '../http/body.ts'
import type { Log } from '../log.ts'
import type { Runs } from '../runs/runs.ts'
import type { SeriesReader } from '../runs/seriesReader.ts'
import type { Storage } from '../storage/storage.ts'
import { addTools } from './tools.ts'

/** Streams on which a client waits for news of the server itself; there are none. */
const subscriptionsMax = 8

const instructions =
  'Twostep steers the learning rates of training jobs and records why. list_runs first; then list_decisions of a run, and get_decision for the evidence of one. Everything here only reads.'

/** Headers of ours that the SDK reads. */
const passedOn = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name'] as const

export function mcpHandler(options: {
  readonly runs: Runs
  readonly reader: SeriesReader
  readonly storage: Storage
  readonly version: string
  readonly log: Log
}): RequestHandler {
  const { reader, version, log } = options
  const { fetch: answer } = createMcpHandler(
    ({ authInfo }) => {
      const { caller } = authInfo!.extra as { readonly caller: Caller }
      const server = new McpServer({ name: 'twostep', version }, { instructions })
      addTools(server, { ...options, caller })
      return server
    },
    {
      maxSubscriptions: subscriptionsMax,
      onerror: (error) => log('debug', 'an MCP request was refused', { error }),
    },
  )
  return async (request, response) => {
    const parsedBody = await readJson(request)
    await reader.turn()
    const headers = new Headers()
    for (const name of passedOn) {
      const value = request.get(name)
      if (value !== undefined) headers.set(name, value)
    }
    const left = new AbortController()
    response.once('close', () => left.abort())
    const asked = new Request('http://localhost/mcp', {
      method: 'POST',
      headers,
      body: JSON.stringify(parsedBody),
      signal: left.signal,
    })
    const caller = callerOf(response)
    // The token itself goes no further than the door.
    const authInfo = { token: '', clientId: caller.name, scopes: [...caller.scopes], extra: { caller } }
    const { status, headers: told, body } = await answer(asked, { parsedBody, authInfo })
    response.status(status)
    told.forEach((value, name) => {
      response.set(name, value)
    })
    if (body === null) response.end()
    else await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), response)
  }
}
