// What `npm run bench -- client` is asked for: which parts, and how much of each. The parts run in a browser's test runner,
// a process of its own, which is told by one environment variable.

import { listOption, optionOf } from '../options.ts'

export const parts = ['first', 'zoom', 'live', 'list', 'viewers', 'pixel', 'bytes'] as const
export type Part = (typeof parts)[number]

export type ClientOptions = {
  readonly only: readonly Part[]
  /** How long the live run is watched. */
  readonly minutes: number
  /** Navigations, of each kind. */
  readonly loads: number
  /** Posts that are timed until they are on the screen. */
  readonly posts: number
  /** Steps of the stored run. */
  readonly steps: number
  /** Runs of the list. */
  readonly runs: number
  /** Where the servers' data are kept, so that a repeated bench need not fill them; '' = nowhere. */
  readonly data: string
  /** Where raw results go. */
  readonly out: string
}

export const optionsVariable = 'TWOSTEP_BENCH_CLIENT'

function positive(args: readonly string[], name: string, otherwise: number): number {
  const text = optionOf(args, name, String(otherwise))
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value))
    throw new RangeError(`${name} must be a number above 0, got ${JSON.stringify(text)}`)
  return value
}

/** @throws RangeError naming an option, its value and what is allowed */
export function clientOptions(args: readonly string[]): ClientOptions {
  const named = listOption(args, '--only') ?? parts
  const only = parts.filter((part) => named.includes(part))
  const unknown = named.filter((name) => !parts.some((part) => part === name))
  if (unknown.length > 0 || only.length === 0)
    throw new RangeError(`--only must name some of ${parts.join(', ')}, got ${JSON.stringify(named.join())}`)
  return {
    only,
    minutes: positive(args, '--minutes', 10),
    loads: positive(args, '--loads', 10),
    posts: positive(args, '--posts', 200),
    steps: positive(args, '--steps', 1_000_000),
    runs: positive(args, '--runs', 10_000),
    data: optionOf(args, '--data', ''),
    out: optionOf(args, '--out', 'bench/results/client'),
  }
}
