// HAProxy with the shipped configuration, of which nothing is changed but addresses.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './freePort.ts'
import { isInstalled } from './installed.ts'

const shipped = readFileSync(new URL('../haproxy/haproxy.cfg', import.meta.url), 'utf8')

export const hasHaproxy = isInstalled('haproxy', ['-v'], 'apt-get install haproxy')

/** What servers behind it are told here, where their ports and its own are none that are known. */
export const settingsBehind = {
  trustProxy: '127.0.0.1',
  trustNetwork: '1',
  allowedHosts: ['127.0.0.1', 'localhost'],
}

export type Haproxy = {
  readonly url: string
  /** All that it has printed. */
  said(): string
  stop(): Promise<void>
}

/** Another address in the place of a shipped one, which must be there. */
function placed(config: string, from: string, to: string): string {
  if (!config.includes(from)) throw new Error(`haproxy.cfg does not say ${from} any more`)
  return config.replaceAll(from, to)
}

/** @param ports of the two servers */
export async function startHaproxy(folder: string, ports: { a: number; b: number }): Promise<Haproxy> {
  const port = await freePort()
  let config = placed(shipped, 'bind :7317', `bind 127.0.0.1:${port}`)
  config = placed(config, 'server-a:7317', `127.0.0.1:${ports.a}`)
  config = placed(config, 'server-b:7317', `127.0.0.1:${ports.b}`)
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, config)
  const child = spawn('haproxy', ['-f', file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      said += data
    })
  return {
    url: `http://127.0.0.1:${port}`,
    said: () => said,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
