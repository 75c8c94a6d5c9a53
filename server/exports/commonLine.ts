// The straight lines y = a + b·x that pass through a growing series of vertical intervals [low, high] at rising x, as long
// as there are any: O'Rourke, "An on-line algorithm for fitting straight lines between data ranges", CACM 24(9), 1981.
// The lines that pass through all lie between a steepest and a flattest one, each held by an upper end of one interval
// and a lower end of another. A new interval narrows them; only ends on the convex hulls can ever hold a line, so each
// is pushed and dropped once: O(1) per interval on average, memory of the hulls.

type Point = { readonly x: number; readonly y: number }
export type Line = { readonly intercept: number; readonly slope: number }

const slopeOf = (a: Point, b: Point) => (b.y - a.y) / (b.x - a.x)
/** Positive where the way over a, b, c turns left. */
const turn = (a: Point, b: Point, c: Point) => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)

/** One side of the intervals: the ends that can still hold a line, from `start` on. */
class Hull {
  readonly points: Point[] = []
  private start = 0
  /** 1 = upper ends (their hull bends left), −1 = lower ends. */
  private readonly side: 1 | -1

  constructor(side: 1 | -1) {
    this.side = side
  }

  push(point: Point): void {
    const { points, side } = this
    while (points.length >= this.start + 2 && side * turn(points.at(-2)!, points.at(-1)!, point) <= 0)
      points.pop()
    points.push(point)
  }

  /** The end from which the line to a point is the limit for all lines; ends before it are not needed again. */
  holdAgainst(point: Point): Point {
    const { points, side } = this
    let best = this.start
    for (let i = best + 1; i < points.length; i++) {
      if (side * (slopeOf(points[i]!, point) - slopeOf(points[best]!, point)) < 0) break
      best = i
    }
    this.start = best
    return points[best]!
  }
}

export class CommonLine {
  private readonly upper = new Hull(1)
  private readonly lower = new Hull(-1)
  /** Flattest line: from an upper end down to a lower one; steepest: from a lower end up to an upper one. */
  private flattest: readonly [Point, Point] | undefined
  private steepest: readonly [Point, Point] | undefined

  /** False if no line passes through this interval as well; then it was not added. */
  add(x: number, low: number, high: number): boolean {
    const top = { x, y: high }
    const bottom = { x, y: low }
    const firstTop = this.upper.points[0]
    const firstBottom = this.lower.points[0]
    if (this.flattest === undefined || this.steepest === undefined) {
      if (firstTop !== undefined && firstBottom !== undefined) {
        this.flattest = [firstTop, bottom]
        this.steepest = [firstBottom, top]
      }
      this.upper.push(top)
      this.lower.push(bottom)
      return true
    }
    const flat = slopeOf(...this.flattest)
    const steep = slopeOf(...this.steepest)
    const atFlattest = this.flattest[1].y + flat * (x - this.flattest[1].x)
    const atSteepest = this.steepest[1].y + steep * (x - this.steepest[1].x)
    if (high < atFlattest || low > atSteepest) return false
    // Both are found before either end is pushed: an interval may be a point.
    const steepest = high < atSteepest ? ([this.lower.holdAgainst(top), top] as const) : undefined
    const flattest = low > atFlattest ? ([this.upper.holdAgainst(bottom), bottom] as const) : undefined
    if (steepest !== undefined) {
      this.steepest = steepest
      this.upper.push(top)
    }
    if (flattest !== undefined) {
      this.flattest = flattest
      this.lower.push(bottom)
    }
    return true
  }

  /** A line in the midst of those that pass; undefined before the second interval. */
  line(): Line | undefined {
    const { flattest, steepest } = this
    if (flattest === undefined || steepest === undefined) return undefined
    const flat = slopeOf(...flattest)
    const steep = slopeOf(...steepest)
    const slope = (flat + steep) / 2
    const [a] = flattest
    const [b] = steepest
    // Both limits pass where they cross; every slope between them passes there too.
    const x = flat === steep ? a.x : (b.y - a.y + flat * a.x - steep * b.x) / (flat - steep)
    const y = a.y + flat * (x - a.x)
    return { slope, intercept: y - slope * x }
  }
}
