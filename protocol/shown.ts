// A value as it is quoted in a sentence, cut short. No more of it is looked at than is shown, however long or deep it is.

const shownCharacters = 80

/** The beginning of its JSON, at least `room` characters of it if there are so many. */
function headOf(value: unknown, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room))
  // JSON.parse makes an infinity of a number that is too large; as JSON it would be null.
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? 'NaN' : `${value} (a number beyond 1.8e308)`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? String(value)
  if (Array.isArray(value)) return `${entriesOf('[', value.keys(), (i) => headOf(value[i], room - 1), room)}]`
  const record = value as Record<string, unknown>
  const pair = (key: string) => `${headOf(key, room)}:${headOf(record[key], room - 1)}`
  return `${entriesOf('{', Object.keys(record), pair, room)}}`
}

function entriesOf<Key>(
  open: string,
  keys: Iterable<Key>,
  entry: (key: Key) => string,
  room: number,
): string {
  let text = open
  if (room <= 0) return text
  for (const key of keys) {
    if (text.length > room) break
    text += text === open ? entry(key) : `,${entry(key)}`
  }
  return text
}

export function shown(value: unknown, charactersMax: number = shownCharacters): string {
  if (value === undefined) return 'nothing'
  const text = headOf(value, charactersMax)
  return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text
}
