// What the schemas are made of: the bounds of the wire, ids, steps, rates, and numbers. JSON has no NaN, and a diverging
// loss is exactly what must not be lost: non-finite numbers travel as the strings "NaN", "Infinity" and "-Infinity",
// and `null` means "not known".

import { z } from 'zod'

/** Bounds of the wire, published in the contract. */
export const limits = {
  bodyBytesMax: 8 * 1024 * 1024,
  batchStepsMax: 10_000,
  batchProbesMax: 1_000,
  batchAcknowledgementsMax: 1_000,
  windowsMax: 16,
  probePartsMax: 32,
  metricsMax: 200,
  nameCharactersMax: 128,
  textCharactersMax: 1_000,
  settingsMax: 100,
  tagsMax: 32,
  segmentsMax: 1_000,
  seriesPointsMax: 4_000,
  /** 10¹², so that every step and every difference of steps is exact in a double. */
  stepMax: 1e12,
} as const

export const text = (max: number = limits.textCharactersMax) => z.string().max(max)
export const name = z.string().min(1).max(limits.nameCharactersMax)
export const step = z.int().min(0).max(limits.stepMax)
export const finite = z.number()
export const rate = z.number().min(0)
export const seconds = z.number().min(0)

/** A run's id: 1 to 128 characters of letters, digits, dot, underscore, hyphen. */
export const runIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    'must be 1 to 128 letters, digits, ".", "_" or "-", starting with a letter or digit',
  )
  .meta({ id: 'RunId' })

const specialNumbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** A number for the wire: finite numbers as they are, the others as their names. */
export function encodeNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

/** The number behind a wire value; undefined = it is none. */
function decodeNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && Object.hasOwn(specialNumbers, value) ? specialNumbers[value] : undefined
}

/** A wire number that may be non-finite. */
export const looseNumber = z
  .union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])])
  .transform((value) => decodeNumber(value) as number)

/** A column: numbers, the three names, or null. One loop instead of a union per element: this is the hot path. */
export const column = z
  .array(z.unknown())
  .max(limits.batchStepsMax)
  .transform((values, context) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value === 'number' || value === null) continue
      const decoded = decodeNumber(value)
      if (decoded === undefined) {
        context.addIssue({
          code: 'custom',
          path: [i],
          message: `must be a number, null, "NaN", "Infinity" or "-Infinity", got ${JSON.stringify(value)?.slice(0, 60)}`,
        })
        return z.NEVER
      }
      values[i] = decoded
    }
    return values as (number | null)[]
  })
  .meta({
    id: 'Column',
    description: 'One entry per step; null = not known. An empty or absent column = not known throughout.',
    items: { anyOf: [{ type: 'number' }, { type: 'null' }, { enum: ['NaN', 'Infinity', '-Infinity'] }] },
  })

export const stepColumn = z
  .array(z.unknown())
  .max(limits.batchStepsMax)
  .transform((values, context) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > limits.stepMax) {
        context.addIssue({
          code: 'custom',
          path: [i],
          message: `must be a whole number from 0 to ${limits.stepMax}, got ${JSON.stringify(value)?.slice(0, 60)}`,
        })
        return z.NEVER
      }
    }
    return values as number[]
  })
  .meta({ id: 'StepColumn', items: { type: 'integer', minimum: 0, maximum: limits.stepMax } })
