// Labels of axes, short enough for the gutter from 1e-9 to 1e12: thousands, millions and billions by a letter, small
// numbers with an exponent. All labels of one linear axis have one form, with as many digits as tell neighbours apart.

/** Characters that the gutter has room for. */
export const tickCharactersMax = 7

const units: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
]
/** From here on a letter stands for the zeros; below it a comma is shorter to read. */
const unitsFrom = 10_000
const exponentsBelow = 1e-3

const unitOf = (magnitude: number): readonly [number, string] =>
  magnitude < unitsFrom ? [1, ''] : (units.find(([unit]) => magnitude >= unit) ?? [1, ''])

const withCommas = (digits: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ',')

/** Decimals that show a distance: 0.25 → 2. */
function decimalsOf(distance: number): number {
  for (let decimals = 0; decimals < 9; decimals++)
    if (Math.abs(distance * 10 ** decimals - Math.round(distance * 10 ** decimals)) < 1e-6) return decimals
  return 9
}

/** A form as long as the gutter allows: digits at the end go first. */
function fitted(write: (decimals: number) => string, decimals: number): string {
  for (let fewer = decimals; fewer > 0; fewer--) {
    const text = write(fewer)
    if (text.length <= tickCharactersMax) return text
  }
  return write(0)
}

/** Labels of evenly spaced values. */
export function linearLabels(values: readonly number[]): string[] {
  const greatest = Math.max(0, ...values.map(Math.abs))
  const distance = values.length > 1 ? Math.abs(values[1]! - values[0]!) : greatest
  if (greatest > 0 && greatest < exponentsBelow) {
    const power = Math.floor(Math.log10(greatest) + 1e-9)
    const decimals = decimalsOf(distance / 10 ** power)
    return values.map((value) =>
      value === 0 ? '0' : `${fitted((n) => trimmed((value / 10 ** power).toFixed(n)), decimals)}e${power}`,
    )
  }
  const [unit, letter] = unitOf(greatest)
  const decimals = decimalsOf(distance / unit)
  return values.map((value) => {
    if (value === 0 && unit > 1) return '0'
    return fitted((n) => withCommasBefore((value / unit).toFixed(n)) + letter, decimals)
  })
}

const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** Commas in the whole part alone. */
function withCommasBefore(text: string): string {
  const [whole, rest] = text.split('.')
  return rest === undefined ? withCommas(whole!) : `${withCommas(whole!)}.${rest}`
}

/** A value of a logarithmic axis: each in the form that suits its own size. */
export function logLabel(value: number): string {
  if (value >= 1e15) return value.toExponential(0).replace('e+', 'e')
  if (value >= 1e-4) {
    const [unit, letter] = unitOf(value)
    return withCommasBefore(String(Number((value / unit).toPrecision(3)))) + letter
  }
  return value.toExponential(1).replace('.0e', 'e')
}
