// The trainer as a process of its own: it speaks to the server over HTTP like any job, and tells whoever
// started it what happens as one JSON object a line on its standard output (`--events`).

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { CommandError } from '../errors.ts'
import { packagePath } from './place.ts'
import type { Progress } from './sentences.ts'

const entry = 'dist/trainer/main.js'
const setupEntry = 'dist/trainer/backends/native/setup.js'
/** Lines of the trainer's standard error that are kept to say why it died. */
const errorLinesMax = 20

export type TrainerSummary = Readonly<Record<string, unknown>>
export type TrainerEvents = {
  readonly progress: (progress: Progress) => void
  readonly summary: (summary: TrainerSummary) => void
  readonly note: (line: string) => void
}
export type TrainerEnd = { readonly exitStatus: number; readonly lastErrors: readonly string[] }

/** Why the trainer cannot be started; undefined = it is here, with what it stands on. */
export function whyNoTrainer(path: string = entry): string | undefined {
  const file = packagePath(path)
  if (!existsSync(file)) return `the trainer is not built (${file} is missing): run \`npm run build\``
  try {
    createRequire(file).resolve('@tensorflow/tfjs-core')
    return undefined
  } catch {
    return 'this twostep was installed without its trainer (@tensorflow/tfjs-core is missing): install it again without --omit=optional, or let another job report to the server'
  }
}

/** @throws CommandError if the trainer, or what it stands on, is not here. */
function trainerFile(path: string): string {
  const reason = whyNoTrainer(path)
  if (reason !== undefined) throw new CommandError(reason)
  return packagePath(path)
}

function takeLine(line: string, events: TrainerEvents): void {
  let message: { event?: string; message?: string }
  try {
    message = JSON.parse(line) as typeof message
  } catch {
    // Libraries may print to standard output on their own.
    events.note(line)
    return
  }
  const { event, ...rest } = message
  if (event === 'progress') events.progress(rest as unknown as Progress)
  else if (event === 'summary') events.summary(rest)
  else if (event === 'notice' && message.message !== undefined) events.note(message.message)
}

/** Starts the trainer with `--events`, and with a token where it needs one. @throws CommandError if it is not built. */
export function startTrainer(
  options: readonly string[],
  token: string | undefined,
  events: TrainerEvents,
): { readonly child: ChildProcess; readonly ended: Promise<TrainerEnd> } {
  const child = spawn(process.execPath, [trainerFile(entry), ...options, '--events'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // In its surroundings, which unlike its words no list of processes shows.
    ...(token === undefined ? {} : { env: { ...process.env, TWOSTEP_TOKEN: token } }),
  })
  const lastErrors: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => takeLine(line, events))
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastErrors.push(line)
    if (lastErrors.length > errorLinesMax) lastErrors.shift()
  })
  const ended = new Promise<TrainerEnd>((resolve, reject) => {
    child.once('error', (error) =>
      reject(new CommandError(`the trainer could not be started: ${error.message}`)),
    )
    child.once('close', (code, signal) => {
      if (signal !== null) lastErrors.push(`ended by ${signal}`)
      resolve({ exitStatus: code ?? 1, lastErrors })
    })
  })
  return { child, ended }
}

/** `twostep train`: the trainer with its own options and this terminal. Resolves to its exit status. */
export const train = (options: readonly string[]): Promise<number> => runHere(entry, options)

/** `twostep setup-tensorflow`: brings native TensorFlow for the trainer. Resolves to its exit status. */
export const setUpTensorflow = (options: readonly string[]): Promise<number> => runHere(setupEntry, options)

function runHere(path: string, options: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [trainerFile(path), ...options], { stdio: 'inherit' })
  // Ctrl-C reaches the trainer by itself; wait for it to end in its own way.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new CommandError(`the trainer could not be started: ${error.message}`)),
    )
    child.once('close', (code) => resolve(code ?? 1))
  })
}
