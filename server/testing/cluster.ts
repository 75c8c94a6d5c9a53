// Several servers on one PostgreSQL, as processes of their own, which are killed and halted like real ones.

import { type ChildProcess, spawn } from 'node:child_process'
import { packagePath } from '../cli/place.ts'

export const serverEntry = packagePath('dist/server/cli/twostep.js')

export type ClusterServer = {
  readonly url: string
  /** Of an admin, where tokens are demanded and this server made the first. */
  readonly token: string | undefined
  readonly process: ChildProcess
  /** With SIGKILL, by default; resolves when it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>
}

/** Starts one server; more of them on the same database are replicas of each other. */
export async function startClusterServer(
  databaseUrl: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<ClusterServer> {
  const flags = { port: '0', storageUrl: databaseUrl, replicaAddress: 'http://127.0.0.1', ...settings }
  const args = Object.entries(flags).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    value,
  ])
  const child = spawn(process.execPath, [serverEntry, 'serve', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('\n')) resolve(text)
    })
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
  const { url, token } = JSON.parse(line) as { url: string; token?: string }
  return {
    url,
    token,
    process: child,
    end: (signal = 'SIGKILL') =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        child.once('exit', () => resolve())
        child.kill(signal)
      }),
  }
}

export type Answer = {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape
  readonly body: any
}

/** JSON in, JSON out. @throws where no answer comes. */
export async function callServer(
  { url }: Pick<ClusterServer, 'url'>,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<Answer> {
  const answer = await fetch(url + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
}
