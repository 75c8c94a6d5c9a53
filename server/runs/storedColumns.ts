// Single columns of a stored samples observation, without making all of it: the text is walked from key to key, and only what
// is asked for becomes numbers. A run of 200 metrics is read as fast as one of few.
//
// The text is our own (observationCodec.ts): lists hold numbers, null and the three names, so the next `]` ends them; only
// `objective` holds texts of others, and it is passed over by what follows it. A quote inside a text has a backslash before it,
// so a key with its quotes is found nowhere else. Cost: one look at each key, and the numbers asked for.

import { decodeColumns } from './observationCodec.ts'
import { type Points, pointsOfSamples } from './points.ts'

const columnsKey = '"columns":{'
const metricsKey = '"metrics":{'

type Place = { readonly from: number; readonly to: number }

/** Where the key ends whose opening quote stands at a place. */
function keyEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text[at - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return at
  }
  return -1
}

const keyOf = (quoted: string): string =>
  quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)

/** Where the lists of the wanted columns are, `step` too; undefined if the text is not as expected. */
function placesOf(text: string, wanted: ReadonlySet<string>): Map<string, Place> | undefined {
  const places = new Map<string, Place>()
  const begin = text.indexOf(columnsKey)
  if (begin === -1) return undefined
  let prefix = ''
  let at = begin + columnsKey.length
  while (text[at] === '"') {
    const end = keyEnd(text, at)
    if (end === -1) return undefined
    const key = keyOf(text.slice(at, end + 1))
    let after: number
    if (prefix === '' && key === 'metrics') {
      prefix = 'metrics.'
      at = end + 3
      continue
    }
    if (prefix === '' && key === 'objective') {
      const next = text.indexOf(metricsKey, end)
      if (next === -1) return places
      after = next - 1
    } else {
      if (text[end + 2] !== '[') return undefined
      after = text.indexOf(']', end) + 1
      const name = prefix + key
      if (name === 'step' || wanted.has(name)) places.set(name, { from: end + 2, to: after })
    }
    if (text[after] !== ',') return places
    at = after + 1
  }
  return text[at] === '}' ? places : undefined
}

const numbered = (column: (number | string | null)[]): (number | null)[] => {
  for (let i = 0; i < column.length; i++) if (typeof column[i] === 'string') column[i] = Number(column[i])
  return column as (number | null)[]
}

/** The steps, and those of the wanted signals that the observation has. */
export function storedColumns(body: string, wanted: ReadonlySet<string>): Points {
  const places = placesOf(body, wanted)
  const step = places?.get('step')
  if (places === undefined || step === undefined) {
    const { steps, values } = pointsOfSamples(decodeColumns(body))
    return { steps, values: new Map([...values].filter(([name]) => wanted.has(name))) }
  }
  const listAt = ({ from, to }: Place) => numbered(JSON.parse(body.slice(from, to)))
  const values = [...places].filter(([name]) => wanted.has(name))
  return {
    steps: listAt(step) as number[],
    values: new Map(values.map(([name, place]) => [name, listAt(place)])),
  }
}
