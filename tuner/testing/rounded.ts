// Numbers of a log with fewer digits, so that a log that is kept is small. Whole numbers (steps, counts) stay as they are.

/** The same value with every fraction in it rounded to so many significant digits. */
export function rounded<T>(value: T, digits: number): T {
  if (typeof value === 'number')
    return (
      Number.isInteger(value) || !Number.isFinite(value) ? value : Number(value.toPrecision(digits))
    ) as T
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((entry) => rounded(entry, digits)) as T
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, rounded(entry, digits)])) as T
}
