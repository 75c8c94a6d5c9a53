// Pieces of a text as one value for the database, in memory that is used again for the next one: a buffer of its own for each
// batch is what the collector of garbage would mostly be called for.

/** Longer texts get a buffer of their own. */
const keptBytesMax = 4 * 1024 * 1024

/** Joins pieces; what it gives holds until it is called again. */
export function createJoiner(): (pieces: readonly Uint8Array[]) => Uint8Array {
  let kept = Buffer.alloc(0)
  return (pieces) => {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
    if (bytes > keptBytesMax) return Buffer.concat(pieces)
    if (bytes > kept.length) kept = Buffer.allocUnsafeSlow(Math.min(keptBytesMax, 2 * bytes))
    let at = 0
    for (const piece of pieces) {
      kept.set(piece, at)
      at += piece.length
    }
    return kept.subarray(0, bytes)
  }
}
