// The server's sentences are shown word for word; only their colours are ours. Blue are the words of staying
// with the large step, orange those of annealing, bold the numbers. A sentence stays text throughout: it is
// cut into pieces, never parsed as markup.

export type Tint = 'plain' | 'large' | 'anneal' | 'number'
export type TintedPiece = { readonly text: string; readonly tint: Tint }

const words =
  /(?<large>\b(?:large[ -]step|staying(?: still)?)\b)|(?<anneal>\banneal(?:s|ed|ing)?\b)|(?<number>-?(?<!\d\.)\b\d+(?:,\d{3})*(?:\.\d+)?(?: ?%)?(?:e[+-]?\d+\b)?(?![\w-]|\.\d))/giu

/** Cuts a sentence into tinted pieces; joined, their texts are the sentence again. */
export function tintSentence(sentence: string): TintedPiece[] {
  const pieces: TintedPiece[] = []
  let end = 0
  for (const match of sentence.matchAll(words)) {
    if (match.index > end) pieces.push({ text: sentence.slice(end, match.index), tint: 'plain' })
    const groups = match.groups ?? {}
    const tint: Tint = groups.large ? 'large' : groups.anneal ? 'anneal' : 'number'
    pieces.push({ text: match[0], tint })
    end = match.index + match[0].length
  }
  if (end < sentence.length) pieces.push({ text: sentence.slice(end), tint: 'plain' })
  return pieces
}
