// Starts a server with the real clock, chance and files, and stops it in order on SIGTERM or SIGINT: batches at
// work are finished, sockets closed, the write-ahead log folded into the database.

import { randomBytes } from 'node:crypto'
import { type App, createApp } from '../app.ts'
import { realClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { CommandError, ServerError } from '../errors.ts'
import { createLog } from '../log.ts'
import { realTuner } from '../runs/realTuner.ts'
import { openStorage } from '../storage/open.ts'
import { packageVersion } from './place.ts'

// Lower-case letters and digits without those that are easily mistaken for one another.
const alphabet = '23456789abcdefghjkmnpqrstuvwxyz'
const idCharacters = { run: 10, request: 12, token: 10, webhook: 10, message: 16, replica: 12 } as const

/** An id that no other of its kind has. */
export function randomId(kind: keyof typeof idCharacters): string {
  const bytes = randomBytes(idCharacters[kind])
  const text = [...bytes].map((byte) => alphabet[byte % alphabet.length]).join('')
  return kind === 'run' ? `run-${text}` : text
}

/** The secret part of a token: 32 random bytes. */
export const randomSecret = (): string => randomBytes(32).toString('base64url')

/** Opens the storage and listens. @throws CommandError with a sentence. */
export async function startServer(
  config: Config,
): Promise<{ app: App; url: string; port: number; description: string }> {
  const log = createLog(config.logLevel, realClock.now, (line) => process.stderr.write(line))
  const storage = await openStorage(config)
  const app = createApp({
    config,
    storage,
    tuner: realTuner,
    clock: realClock,
    log,
    version: packageVersion(),
    newId: randomId,
    newSecret: randomSecret,
    random: Math.random,
    measuresProcess: true,
  })
  try {
    return { app, description: storage.description, ...(await app.listen()) }
  } catch (error) {
    await storage.close().catch(() => {})
    // What is stored cannot be read: a sentence, not a fault of the program.
    throw error instanceof ServerError ? new CommandError(error.message) : error
  }
}

/** Resolves after the first SIGTERM or SIGINT, when `stop` has ended; a second one ends the process at once. */
export function untilStopped(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const onSignal = () => {
      if (stopping) process.exit(1)
      stopping = true
      stop().then(resolve, reject)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

export const firstTokenWords = (secret: string) =>
  `This address demands tokens. The one of an admin is shown this once:\n\n  ${secret}\n\nThe page asks for it; commands and jobs take it from TWOSTEP_TOKEN. \`twostep token create\` makes others.\n`

/** `twostep serve`. */
export async function serve(config: Config, { json }: { readonly json: boolean }): Promise<void> {
  const { app, url, port, description } = await startServer(config)
  const stopped = untilStopped(() => app.close())
  const first = await app.tokens.first()
  const told =
    config.databaseUrl === null
      ? { url, port, databaseFile: config.databaseFile }
      : { url, port, storage: description }
  const place = config.databaseUrl === null ? config.databaseFile : description
  const line = json
    ? JSON.stringify(first === undefined ? told : { ...told, token: first.secret })
    : `Twostep is ready at ${url} (data in ${place}; Ctrl-C stops)`
  process.stdout.write(`${line}\n`)
  if (first !== undefined && !json) process.stdout.write(firstTokenWords(first.secret))
  await stopped
}
