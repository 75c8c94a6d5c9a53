// The trainer as a process of its own: it speaks to the server over HTTP like any job, and tells whoever
// started it what happens as one JSON object a line on its standard output (`--events`).

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { CommandError } from '../errors.ts'
import { packagePath } from './place.ts'
import type { Progress } from './sentences.ts'

const entry = 'dist/trainer/main.js'
/** Lines of the trainer's standard error that are kept to say why it died. */
const errorLinesMax = 20

export type TrainerSummary = Readonly<Record<string, unknown>>
export type TrainerEvents = {
  readonly progress: (progress: Progress) => void
  readonly summary: (summary: TrainerSummary) => void
  readonly note: (line: string) => void
}
export type TrainerEnd = { readonly exitStatus: number; readonly lastErrors: readonly string[] }

function trainerEntry(): string {
  const file = packagePath(entry)
  if (!existsSync(file))
    throw new CommandError(`the trainer is not built (${file} is missing): run \`npm run build\``)
  return file
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

/** Starts the trainer with `--events`. @throws CommandError if it is not built. */
export function startTrainer(
  options: readonly string[],
  events: TrainerEvents,
): { readonly child: ChildProcess; readonly ended: Promise<TrainerEnd> } {
  const child = spawn(process.execPath, [trainerEntry(), ...options, '--events'], {
    stdio: ['ignore', 'pipe', 'pipe'],
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
export function train(options: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [trainerEntry(), ...options], { stdio: 'inherit' })
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
