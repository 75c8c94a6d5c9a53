// `twostep doctor`: whether this computer has what the server and the trainer need, one sentence each.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { release } from 'node:os'
import { formatPlural } from '../../protocol/numbers.ts'
import type { Config } from '../config.ts'
import { openStorage } from '../storage/open.ts'
import { loadDriver } from '../storage/sqlite/driver.ts'
import { isOpenToOthers } from '../storage/sqlite/place.ts'
import { verifyStorage } from '../storage/verify.ts'
import { madeAnewSentence, verifyFile } from './backup.ts'
import { packagePath } from './place.ts'
import { print } from './print.ts'
import { table } from './sentences.ts'
import { whyNoTrainer } from './trainerProcess.ts'

export type Check = { readonly name: string; readonly ok: boolean; readonly detail: string }

const nodeMin = [20, 19] as const
const reportEntry = 'dist/trainer/backends/report.js'
const reportMilliseconds = 60_000

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1])
  const needed = ok ? '' : `; ${nodeMin.join('.')} or newer is needed`
  return { name: 'Node', ok, detail: `${process.versions.node}${needed}` }
}

async function checkPostgres(config: Config): Promise<Check> {
  const name = 'PostgreSQL'
  try {
    const storage = await openStorage(config, { readOnly: true })
    try {
      const verified = await verifyStorage(storage)
      const { runs, observations } = verified
      const read = `${formatPlural(runs, 'run')} and ${formatPlural(observations, 'observation')} read`
      return {
        name,
        ok: true,
        detail: `${storage.description} is sound: ${read}, and as stored${madeAnewSentence(verified)}`,
      }
    } finally {
      await storage.close()
    }
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message }
  }
}

export async function checkSqlite({ databaseFile }: Config): Promise<Check> {
  try {
    const driver = loadDriver()
    const memory = new driver.DatabaseSync(':memory:')
    const { version } = memory.prepare('SELECT sqlite_version() AS version').get() as { version: string }
    memory.close()
    if (!existsSync(databaseFile)) return { name: 'SQLite', ok: true, detail: `${version} (${driver.name})` }
    const verified = await verifyFile(databaseFile)
    const { runs, observations } = verified
    const read = `${formatPlural(runs, 'run')} and ${formatPlural(observations, 'observation')} read`
    const others = isOpenToOthers(databaseFile)
      ? `; other users of this computer may read it: \`chmod 600 ${databaseFile}*\``
      : ''
    const detail = `${version} (${driver.name}); ${databaseFile} is sound: ${read}, and as stored${madeAnewSentence(verified)}${others}`
    return { name: 'SQLite', ok: true, detail }
  } catch (error) {
    return { name: 'SQLite', ok: false, detail: `${databaseFile}: ${(error as Error).message}` }
  }
}

function checkDataDir({ dataDir }: Config): Check {
  try {
    mkdirSync(dataDir, { recursive: true })
    accessSync(dataDir, constants.W_OK)
    return { name: 'data folder', ok: true, detail: `${dataDir} is writable` }
  } catch (error) {
    return {
      name: 'data folder',
      ok: false,
      detail: `${dataDir} is not writable: ${(error as Error).message}`,
    }
  }
}

function checkPort({ host, port }: Config): Promise<Check> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const detail =
        error.code === 'EADDRINUSE'
          ? `${port} on ${host} is in use: a server runs there already, or start with --port 0`
          : `${port} on ${host}: ${error.message}`
      resolve({ name: 'port', ok: false, detail })
    })
    probe.listen(port, host, () =>
      probe.close(() => resolve({ name: 'port', ok: true, detail: `${port} on ${host} is free` })),
    )
  })
}

/** What the trainer says of cards, TensorFlow and the backend it would take, in a process of its own. */
function checkTrainer(): readonly Check[] {
  const reason = whyNoTrainer(reportEntry)
  if (reason !== undefined)
    return [{ name: 'trainer', ok: true, detail: `this computer can serve, but not train: ${reason}` }]
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [packagePath(reportEntry)], {
    encoding: 'utf8',
    timeout: reportMilliseconds,
  })
  try {
    const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { checks: readonly Check[] }
    return report.checks
  } catch {
    const words = stderr.trim().split('\n').slice(-2).join(' / ')
    const detail = `the trainer could not say which backend it would take (ended by ${signal ?? status}): ${words}`
    return [{ name: 'backend', ok: false, detail }]
  }
}

function checkBuilt(): Check {
  const missing = ['dist/client/index.html', 'dist/trainer/main.js'].filter(
    (file) => !existsSync(packagePath(file)),
  )
  const detail =
    missing.length === 0 ? 'page and trainer' : `${missing.join(' and ')} missing: run \`npm run build\``
  return { name: 'built', ok: missing.length === 0, detail }
}

export async function runChecks(config: Config): Promise<readonly Check[]> {
  return [
    checkNode(),
    { name: 'system', ok: true, detail: `${process.platform} ${process.arch} ${release()}` },
    await (config.databaseUrl === null ? checkSqlite(config) : checkPostgres(config)),
    checkDataDir(config),
    await checkPort(config),
    ...checkTrainer(),
    checkBuilt(),
  ]
}

/** `twostep doctor`. Resolves to the exit status: 0 if every check is well. */
export async function doctor(config: Config, { json }: { readonly json: boolean }): Promise<number> {
  const checks = await runChecks(config)
  const ok = checks.every((check) => check.ok)
  const rows = checks.map((check) => [check.ok ? 'ok' : 'NO', check.name, check.detail])
  print(json ? JSON.stringify({ ok, checks }) : table(rows))
  return ok ? 0 : 1
}
