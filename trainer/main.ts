// The trainer as a program: options in, lines out. Exit status 0 = trained; 1 = could not, was stopped, ended no better than
// it began, or could not report all of it; 2 = wrong usage. The first SIGINT or SIGTERM stops it before the next step, with its state saved; a second one kills it.

import { randomBytes } from 'node:crypto'
import { BackendError } from './backends/openBackend.ts'
import { DataError } from './data/dataset.ts'
import { eventLine, eventSentence, type TrainerEvent } from './events.ts'
import { parseOptions, UsageError, usage } from './options.ts'
import { runTraining } from './run.ts'

/** A person reads a progress line this often. */
const progressSeconds = 2

// Whoever read the lines has gone; the training goes on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

function createPrinter(asEvents: boolean): (event: TrainerEvent) => void {
  if (asEvents) return (event) => void process.stdout.write(`${eventLine(event)}\n`)
  let printedAt = Number.NEGATIVE_INFINITY
  return (event) => {
    if (event.event === 'progress') {
      if (performance.now() - printedAt < progressSeconds * 1_000) return
      printedAt = performance.now()
    }
    const sentence = eventSentence(event)
    if (sentence !== undefined) process.stdout.write(`${sentence}\n`)
  }
}

const newRunId = (task: string, model: string): string =>
  `${task}-${model}-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}-${randomBytes(2).toString('hex')}`

async function main(): Promise<number> {
  try {
    const options = parseOptions(process.argv.slice(2), process.env)
    if (options === 'help') {
      process.stdout.write(usage)
      return 0
    }
    const runId = options.runId ?? newRunId(options.task, options.model)
    const stop = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
    const print = createPrinter(options.events)
    let isUnsent = false
    const summary = await runTraining(options, {
      emit: (event) => {
        if (event.event === 'notice' && event.isUnsent === true) isUnsent = true
        print(event)
      },
      runId,
      stop: stop.signal,
    })
    return summary === undefined || summary.isBetter === false || isUnsent ? 1 : 0
  } catch (cause) {
    const isUsage = cause instanceof UsageError || cause instanceof RangeError
    const known = isUsage || cause instanceof DataError || cause instanceof BackendError
    const error = cause instanceof Error ? cause : new Error(String(cause))
    process.stderr.write(`${known ? error.message : (error.stack ?? error.message)}\n`)
    return isUsage ? 2 : 1
  }
}

process.exitCode = await main()
