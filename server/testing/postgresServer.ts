// A real PostgreSQL for tests, on a free port, in a folder of its own, without a flush to the disk. One for a run of the
// tests (postgresSetup.ts); each test file makes databases in it. It refuses to be root's, so it is another user's then.
//
// A shell stands beside it that waits for the end of a pipe: however the tests end, PostgreSQL ends, and its folder goes.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'

const readyMilliseconds = 20_000
export const howToInstall =
  'PostgreSQL is not installed (`apt-get install postgresql`): its tests are skipped'

export type PostgresServer = {
  /** Without the name of a database. */
  readonly url: string
  stop(): Promise<void>
}

/** The folder of `postgres` and `initdb`; undefined = none is installed. */
function programsFolder(): string | undefined {
  const versions = '/usr/lib/postgresql'
  const installed = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, 'bin'))
    : []
  return [...(process.env.PATH ?? '').split(delimiter), ...installed].find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  )
}

function userFor(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody'])
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {}
  return undefined
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })

const ready = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => reject(new Error(`PostgreSQL did not start: ${said}`)), readyMilliseconds)
    child.stderr?.on('data', (text: Buffer) => {
      said = (said + text).slice(-4_000)
      if (!said.includes('ready to accept connections')) return
      clearTimeout(timer)
      resolve()
    })
    child.once('exit', () => {
      clearTimeout(timer)
      reject(new Error(`PostgreSQL ended: ${said}`))
    })
  })

/** Undefined where none is installed. */
export async function startPostgres(): Promise<PostgresServer | undefined> {
  const programs = programsFolder()
  if (programs === undefined) return undefined
  const user = userFor()
  const folder = mkdtempSync('/tmp/twostep-postgres-')
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const options = { cwd: folder, ...user, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' } }
  const initialize = [
    '-D',
    data,
    '-U',
    'twostep',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--no-sync',
    '--no-instructions',
  ]
  execFileSync(join(programs, 'initdb'), initialize, { ...options, stdio: 'pipe' })
  const port = await freePort()
  const settings = ['fsync=off', 'full_page_writes=off', 'max_connections=200', 'shared_buffers=64MB']
  const words = [
    join(programs, 'postgres'),
    ...['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder],
    ...settings.flatMap((setting) => ['-c', setting]),
  ]
  const script =
    'folder=$1; shift; "$@" </dev/null & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; cd /; rm -rf "$folder"'
  const child = spawn('sh', ['-c', script, 'sh', folder, ...words], {
    ...options,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  await ready(child)
  child.stderr.resume()
  child.unref()
  return {
    url: `postgresql://twostep@127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        child.ref()
        child.removeAllListeners('exit')
        child.once('exit', () => resolve())
        child.stdin.end()
      }),
  }
}
