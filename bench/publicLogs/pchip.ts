// Piecewise cubic Hermite interpolation that keeps monotone data monotone (Fritsch and Butland 1984; Fritsch and Carlson
// 1980): no value lies outside of its two neighbours, so between two measured losses no better one is invented. At the ends the
// slope is that of three points, cut back where it would overshoot. Cost: O(n) a value.

/** y at x, by points ascending in x; outside of them the value of the nearest one. @throws RangeError for fewer than two. */
export function pchip(xs: readonly number[], ys: readonly number[], x: number): number {
  if (xs.length < 2 || xs.length !== ys.length)
    throw new RangeError(`pchip needs two points or more, got ${xs.length} and ${ys.length} values`)
  if (x <= xs[0]!) return ys[0]!
  if (x >= xs.at(-1)!) return ys.at(-1)!
  const above = xs.findIndex((entry) => entry > x)
  const low = above - 1
  const slopes = slopesOf(xs, ys)
  const width = xs[above]! - xs[low]!
  const z = (x - xs[low]!) / width
  return (
    (1 + 2 * z) * (1 - z) ** 2 * ys[low]! +
    z * (1 - z) ** 2 * width * slopes[low]! +
    z * z * (3 - 2 * z) * ys[above]! +
    z * z * (z - 1) * width * slopes[above]!
  )
}

function slopesOf(xs: readonly number[], ys: readonly number[]): number[] {
  const widths = xs.slice(1).map((x, i) => x - xs[i]!)
  const chords = widths.map((width, i) => (ys[i + 1]! - ys[i]!) / width)
  if (chords.length === 1) return [chords[0]!, chords[0]!]
  const inner = chords.slice(1).map((right, i) => {
    const left = chords[i]!
    if (left * right <= 0) return 0
    // Weighted harmonic mean: the steeper chord counts for less.
    const [a, b] = [2 * widths[i + 1]! + widths[i]!, widths[i + 1]! + 2 * widths[i]!]
    return (a + b) / (a / left + b / right)
  })
  const first = endSlope(widths[0]!, widths[1]!, chords[0]!, chords[1]!)
  const last = endSlope(widths.at(-1)!, widths.at(-2)!, chords.at(-1)!, chords.at(-2)!)
  return [first, ...inner, last]
}

/** Slope of the parabola through three points at its first one, of the sign of the first chord and at most three times it. */
function endSlope(width: number, next: number, chord: number, nextChord: number): number {
  const slope = ((2 * width + next) * chord - width * nextChord) / (width + next)
  if (slope * chord <= 0) return 0
  if (chord * nextChord < 0 && Math.abs(slope) > 3 * Math.abs(chord)) return 3 * chord
  return slope
}
