// The receivers of docs/guides/webhooks.md, run as they stand there.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packagePath } from '../cli/place.ts'
import { signedHeaders } from './signature.ts'

const guide = readFileSync(packagePath('docs/guides/webhooks.md'), 'utf8')
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
let folder: string
let child: ChildProcess | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-receiver-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Lines that it prints, one at a time. */
function linesOf({ stdout }: ChildProcess): () => Promise<string> {
  let text = ''
  let told = () => {}
  stdout!.on('data', (chunk) => {
    text += chunk
    told()
  })
  return async () => {
    while (!text.includes('\n'))
      await new Promise<void>((resolve) => {
        told = resolve
      })
    const [line = '', ...rest] = text.split('\n')
    text = rest.join('\n')
    return line
  }
}

test.each([
  ['python', 'receiver.py', process.env.PYTHON ?? 'python3'],
  ['js', 'receiver.mjs', process.execPath],
])('the receiver in %s takes what is signed, and nothing else', async (language, name, program) => {
  const code = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(guide)![1]!
  const file = join(folder, name)
  writeFileSync(file, code)
  child = spawn(program, [file], { env: { ...process.env, WEBHOOK_SECRET: secret, PORT: '0' } })
  const line = linesOf(child)
  const port = /^listening at (\d+)$/.exec(await line())![1]
  const send = async (given: { seconds?: number; signed?: string; body: string }) => {
    const { seconds = Math.floor(Date.now() / 1_000), body, signed = body } = given
    const headers = signedHeaders(secret, 'msg_1', seconds, signed)
    return (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).status
  }
  const body = '{"type":"test","data":{"name":"é"}}'
  expect(await send({ body, signed: `${body} ` })).toBe(401)
  expect(await send({ body, seconds: 1_000 })).toBe(401)
  expect(await send({ body })).toBe(204)
  expect(await line()).toBe('msg_1 test')
})
