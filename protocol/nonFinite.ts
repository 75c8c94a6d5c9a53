// JSON has no NaN, and a diverging loss is exactly what must not be lost: non-finite numbers travel as the strings
// "NaN", "Infinity" and "-Infinity", and `null` means "not known".

export const nonFiniteNames = ['NaN', 'Infinity', '-Infinity'] as const

const values: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** A number for the wire: finite numbers as they are, the others as their names. */
export function encodeNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

/** The number behind a wire value; undefined = it is none. */
export function decodeNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && Object.hasOwn(values, value) ? values[value] : undefined
}
