// Lines of a body that comes in chunks, each with its number, for which errors are told. A line is bounded, so that a
// file without line ends does not fill the memory. Empty lines are left out.

import { ServerError } from '../errors.ts'

export type Line = { readonly number: number; readonly text: string }

const newline = 0x0a

/** An error of a line, in words that name it. */
export const lineError = (
  code: 'malformed-json' | 'invalid-request' | 'body-too-large' | 'too-many-metrics',
  line: number,
  detail: string,
) =>
  new ServerError(code, `line ${line}: ${detail}`, {
    errors: [{ pointer: `line ${line}`, detail }],
    closeConnection: true,
  })

/** @throws ServerError `body-too-large`, `malformed-json` (text that is not UTF-8). */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<Line, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let parts: Uint8Array[] = []
  let size = 0
  let number = 1
  const taken = (): Line => {
    const bytes = Buffer.concat(parts)
    parts = []
    size = 0
    try {
      return { number, text: decoder.decode(bytes) }
    } catch {
      throw lineError('malformed-json', number, 'is not UTF-8')
    }
  }
  const keep = (part: Uint8Array) => {
    size += part.length
    if (size > lineBytesMax)
      throw lineError(
        'body-too-large',
        number,
        `has more than ${lineBytesMax} bytes, which is the most allowed`,
      )
    parts.push(part)
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      keep(chunk.subarray(from, at))
      const line = taken()
      if (line.text.trim() !== '') yield line
      number++
      from = at + 1
    }
    if (from < chunk.length) keep(chunk.subarray(from))
  }
  const last = taken()
  if (last.text.trim() !== '') yield last
}
