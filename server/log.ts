// The server's own log: one JSON object a line on standard error, so that standard output stays free for
// what a command prints.

import { onOneLine } from './controls.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export type Log = (
  level: Exclude<LogLevel, 'silent'>,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void

export const silentLog: Log = () => {}

/** Errors of one entry, an error and what has led to it; more say nothing new. */
const errorsMax = 8

/** The stack of an error and those of its causes, and where it is several at once, of each. */
function wordsOf(error: Error): string {
  const found: unknown[] = [error]
  for (let i = 0; i < found.length && found.length < errorsMax; i++) {
    const { cause, errors } = found[i] as { cause?: unknown; errors?: unknown }
    const next = [...(cause === undefined ? [] : [cause]), ...(Array.isArray(errors) ? errors : [])]
    found.push(...next.filter((one) => one !== null && !found.includes(one)))
  }
  return found
    .slice(0, errorsMax)
    .map((one) => (one instanceof Error ? (one.stack ?? one.message) : String(one)))
    .join('\ncaused by ')
}

/** Writes entries of `least` and above with `write`, which gets whole lines. */
export function createLog(least: LogLevel, now: () => number, write: (line: string) => void): Log {
  const rank = logLevels.indexOf(least)
  return (level, message, fields) => {
    if (logLevels.indexOf(level) < rank) return
    const error = fields?.error
    const plain = error instanceof Error ? { ...fields, error: wordsOf(error) } : fields
    write(`${onOneLine(JSON.stringify({ time: new Date(now()).toISOString(), level, message, ...plain }))}\n`)
  }
}
