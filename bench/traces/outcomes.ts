// Closed-loop outcomes: runs that change their rate while they run, trained whole. Kept as plain JSON lines, one file
// a task, so that a change of one row is a change of its lines.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Score } from './format.ts'
import { traceFolder } from './store.ts'

export type Outcome = {
  readonly row: string
  readonly seed: number
  /** Of the weights that the run kept. */
  readonly test: Score
  /** Steps that were taken, search included. */
  readonly steps: number
  /** The rate given at the start; null = none. */
  readonly givenRate: number | null
  /** The rate held before the anneal; null where the row has none. */
  readonly largeRate: number | null
  readonly switchStep: number | null
  /** Steps taken before the large step began: the search's price. */
  readonly searchSteps: number | null
  /** Version of the tuner's state, and the day; null for rows that the tuner has no part in. */
  readonly tunerVersion: number | null
  readonly date: string
}

const fileOf = (task: string, folder: string) => join(folder, `${task}.rows.ndjson`)

export function loadOutcomes(task: string, folder: string = traceFolder()): Outcome[] {
  const file = fileOf(task, folder)
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Outcome)
}

/** Adds outcomes in place of those of the same row and seed. Losses keep 6 digits; one that is not finite is null. */
export function addOutcomes(task: string, added: readonly Outcome[], folder: string = traceFolder()): void {
  const kept = loadOutcomes(task, folder).filter(
    (outcome) => !added.some(({ row, seed }) => row === outcome.row && seed === outcome.seed),
  )
  const all = [...kept, ...added].sort((a, b) => a.row.localeCompare(b.row) || a.seed - b.seed)
  const round = (_: string, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value
  mkdirSync(folder, { recursive: true })
  const file = fileOf(task, folder)
  writeFileSync(`${file}.part`, all.map((outcome) => `${JSON.stringify(outcome, round)}\n`).join(''))
  renameSync(`${file}.part`, file)
}
