// Results of runs, kept as one JSON file per experiment: a run that is in the file is not trained again, so a
// bench that was stopped goes on where it was, and a record's tables come from its files without training. The file
// is written after each run (to a new file that then takes its name). JSON knows no NaN: values here use null.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type Store = {
  /** The kept result of this key; otherwise it is made, kept and returned. */
  once<Result>(key: string, make: () => Promise<Result>): Promise<Result>
}

function readRuns(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new Error(`${file} cannot be read as results: ${(cause as Error).message}`)
  }
}

const fileText = (runs: Readonly<Record<string, unknown>>): string => {
  const lines = Object.entries(runs).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
  return `{\n${lines.join(',\n')}\n}\n`
}

/** @throws Error if the file is there and is not JSON. `onMade` hears of each run that was trained. */
export function openStore(file: string, onMade: (key: string) => void = () => undefined): Store {
  const runs = readRuns(file)
  mkdirSync(dirname(file), { recursive: true })
  return {
    once: async <Result>(key: string, make: () => Promise<Result>): Promise<Result> => {
      if (key in runs) return runs[key] as Result
      runs[key] = await make()
      writeFileSync(`${file}.new`, fileText(runs))
      renameSync(`${file}.new`, file)
      onMade(key)
      return runs[key] as Result
    },
  }
}

/** Short numbers for the files: 6 significant digits; null for what is not finite. */
export const kept = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(6)) : null
