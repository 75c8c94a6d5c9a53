// How deep JSON may be nested. A text is looked at before it is parsed: what is far deeper than anything of ours costs the
// parser seconds, and whoever walks the result its stack.

export const nestingMax = 64

const backslash = 0x5c
const quote = 0x22
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]

/** Whether a text has more than so many of the two opening characters, wherever they are: a few jumps for most. */
function hasMany(text: string, count: number): boolean {
  let left = count
  for (const opener of ['[', '{'])
    for (let at = text.indexOf(opener); at !== -1; at = text.indexOf(opener, at + 1))
      if (--left < 0) return true
  return false
}

/** Where the text ends whose opening quote stands at a place; its length where it does not. */
function textEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text.charCodeAt(at - 1 - backslashes) === backslash) backslashes++
    if (backslashes % 2 === 0) return at
  }
  return text.length
}

/** One look at each character, and none at most texts of JSON, which have few lists and objects. */
export function isNestedTooDeep(text: string, depthMax: number = nestingMax): boolean {
  if (!hasMany(text, depthMax)) return false
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === quote) at = textEnd(text, at)
    else if (character === openList || character === openObject) {
      if (++depth > depthMax) return true
    } else if (character === closeList || character === closeObject) depth--
  }
  return false
}
