// Values as Python source. Texts come from jobs and are trusted with nothing: a JSON string is a Python string of one
// line, and what a reader or an editor could be misled by (line separators, marks that turn the direction of text) is
// escaped as well, so that the same text is safe in a comment.

/** Controls, separators, invisible marks and lone surrogates of the Unicode range that JSON leaves as it is. */
const misleading = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

export const pythonText = (text: string): string =>
  JSON.stringify(text).replace(misleading, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** A finite number as a float: the shortest digits that give the same double. */
export function pythonFloat(value: number): string {
  const text = String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

const lineMax = 110

/** Items with commas between, on as many indented lines as they need. */
export function pythonLines(items: readonly string[], indent: string): string {
  const lines: string[] = []
  let line = indent
  for (const item of items) {
    const more = line === indent ? `${item},` : ` ${item},`
    if (line.length + more.length > lineMax && line !== indent) {
      lines.push(line)
      line = `${indent}${item},`
    } else line += more
  }
  if (line !== indent) lines.push(line)
  return lines.join('\n')
}
