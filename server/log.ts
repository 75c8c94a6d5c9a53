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

/** Writes entries of `least` and above with `write`, which gets whole lines. */
export function createLog(least: LogLevel, now: () => number, write: (line: string) => void): Log {
  const rank = logLevels.indexOf(least)
  return (level, message, fields) => {
    if (logLevels.indexOf(level) < rank) return
    const error = fields?.error
    const plain = error instanceof Error ? { ...fields, error: error.stack ?? error.message } : fields
    write(`${onOneLine(JSON.stringify({ time: new Date(now()).toISOString(), level, message, ...plain }))}\n`)
  }
}
