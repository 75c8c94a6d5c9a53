// Public logs of language models' cooldowns: one JSON object a line, gzipped, in a folder that the caller names. Nothing of
// them is kept in the repository. A curve that was logged twice, as by a job that was started again, keeps what came last.
// Where they are from, and their licence: bench/records/2026-11-28-public-logs/README.md.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

export const logsFile = 'llm-cooldowns.ndjson.gz'

/** A curve over steps, ascending, each step once. */
export type Curve = { readonly step: readonly number[]; readonly value: readonly number[] }

export type PublicLog = {
  readonly run: string
  readonly dataset: string
  readonly layers: number
  readonly width: number
  readonly learningRate: number
  readonly scheduler: string
  readonly decayShape: string | null
  readonly warmupSteps: number
  readonly iterations: number
  /** Sequences a step. */
  readonly batchSize: number
  /** Window of the averaged weights; null = not logged. */
  readonly averagedWindowSteps: number | null
  /** Held-out loss of the weights and, where it was logged, of averaged ones. */
  readonly heldOut: Curve
  readonly averaged: Curve | null
  readonly loss: Curve
  readonly rate: Curve
  readonly gradientNorm: Curve | null
  readonly finalLoss: number
}

/** @throws Error that says which file, line or field is missing. */
export function loadLogs(folder: string): PublicLog[] {
  const file = join(folder, logsFile)
  if (!existsSync(file))
    throw new Error(`there is no ${logsFile} in ${folder}: name the logs' folder by --data`)
  return parseLogs(gunzipSync(readFileSync(file)).toString('utf8'))
}

export function parseLogs(text: string): PublicLog[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new Error(`${logsFile} is empty`)
  return lines.map((line, index) => parseLog(line, `${logsFile}, line ${index + 1}`))
}

type Fields = Readonly<Record<string, unknown>>

function parseLog(line: string, where: string): PublicLog {
  const fields = recordOf(parsed(line, where), where)
  const word = (name: string) => checked(fields, name, 'a text', where, (value) => typeof value === 'string')
  const number = (name: string) =>
    checked(fields, name, 'a number', where, (value) => Number.isFinite(value)) as number
  const train = recordOf(fields.train, `${where}, train`)
  return {
    run: word('run') as string,
    dataset: word('dataset') as string,
    layers: number('layers'),
    width: number('width'),
    learningRate: number('learningRate'),
    scheduler: word('scheduler') as string,
    decayShape: typeof fields.decayShape === 'string' ? fields.decayShape : null,
    warmupSteps: number('warmupSteps'),
    iterations: number('iterations'),
    batchSize: number('batchSize') * number('accumulation') * number('workers'),
    averagedWindowSteps: fields.averagedWindowSteps == null ? null : number('averagedWindowSteps'),
    heldOut: curveOf(recordOf(fields.val, `${where}, val`), 'loss', `${where}, val`),
    averaged: fields.wa == null ? null : curveOf(recordOf(fields.wa, `${where}, wa`), 'loss', `${where}, wa`),
    loss: curveOf(train, 'loss', `${where}, train`),
    rate: curveOf(train, 'learningRate', `${where}, train`),
    gradientNorm: train.grad_norm == null ? null : curveOf(train, 'grad_norm', `${where}, train`),
    finalLoss: number('finalLoss'),
  }
}

function parsed(line: string, where: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new Error(`${where}: is no JSON`)
  }
}

function recordOf(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null) throw new Error(`${where}: an object is missing`)
  return value as Fields
}

function checked(
  fields: Fields,
  name: string,
  what: string,
  where: string,
  isSound: (value: unknown) => boolean,
): unknown {
  const value = fields[name]
  if (!isSound(value)) throw new Error(`${where}: ${name} must be ${what}, got ${JSON.stringify(value)}`)
  return value
}

const isNumbers = (value: unknown): boolean =>
  Array.isArray(value) && value.every((entry) => Number.isFinite(entry))

/** Ascending in the step; of a step that comes twice the last value, of entries that are not finite none. */
function curveOf(fields: Fields, name: string, where: string): Curve {
  const steps = checked(fields, 'step', 'a list of numbers', where, isNumbers) as number[]
  const values = checked(fields, name, 'a list', where, Array.isArray) as unknown[]
  if (steps.length !== values.length)
    throw new Error(`${where}: ${name} has ${values.length} entries, step has ${steps.length}`)
  const byStep = new Map<number, number>()
  values.forEach((value, index) => {
    if (typeof value === 'number' && Number.isFinite(value)) byStep.set(steps[index]!, value)
  })
  const entries = [...byStep].sort(([a], [b]) => a - b)
  return { step: entries.map(([step]) => step), value: entries.map(([, value]) => value) }
}

/** Value at a step, straight between its neighbours; outside of the curve that of its nearest end. */
export function curveAt({ step: steps, value: values }: Curve, step: number): number {
  if (step <= steps[0]!) return values[0]!
  let [low, high] = [0, steps.length - 1]
  if (step >= steps[high]!) return values[high]!
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (steps[middle]! <= step) low = middle
    else high = middle
  }
  const weight = (step - steps[low]!) / (steps[high]! - steps[low]!)
  return values[low]! + weight * (values[high]! - values[low]!)
}
