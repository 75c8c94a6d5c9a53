import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { exportRun } from './transfer.ts'

let server: Server
let folder: string
let url: string
/** What a server sends before it breaks off; null = not even a head. */
let sent: string | null
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-export-'))
  server = createServer((_request, response) => {
    if (sent === null) return response.destroy()
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    return response.write(sent, () => setTimeout(() => response.destroy(), 20))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

const failure = (file: string) =>
  exportRun('r', file, { server: url }).then(
    () => '',
    (error: Error) => error.message,
  )

test.each(['r.ndjson', 'r.gz', '-'])(
  'an answer that breaks off is told as that, and leaves no file: %s',
  async (name) => {
    sent = '{"format":"twostep-log"}'
    const file = name === '-' ? name : join(folder, name)
    expect(await failure(file)).toMatch(
      new RegExp(`^${url} broke off its answer before the end \\(.*\\): its log says why`),
    )
    expect(readdirSync(folder)).toEqual([])
  },
)

test('a server that closes the connection unanswered is there, and a file that cannot be written is another fault', async () => {
  sent = null
  expect(await failure(join(folder, 'r.ndjson'))).toMatch(/closed the connection before it had answered \(/)
  sent = '{"a":1}\n'
  const file = join(folder, 'none', 'r.ndjson')
  expect(await failure(file)).toContain(`${file} could not be written (ENOENT`)
  expect(existsSync(join(folder, 'none'))).toBe(false)
  server.close()
  server.closeAllConnections()
  expect(await failure(file)).toMatch(/no twostep server answers at .* \(ECONNREFUSED\)/)
})
