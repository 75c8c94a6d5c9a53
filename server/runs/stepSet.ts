// Which steps were seen, as ranges: a job that reports its steps in order is one range, however long it runs. Memory
// grows with the number of gaps; adding at the end costs O(1), elsewhere O(ranges).

export class StepSet {
  /** Sorted, and never touching each other: from ≤ step < to. */
  private readonly ranges: { from: number; to: number }[] = []

  /** False if the step was there already. */
  add(step: number): boolean {
    const { ranges } = this
    // The first range that ends at or after the step.
    let low = 0
    let high = ranges.length
    const last = ranges.at(-1)
    if (last !== undefined && last.to < step) low = high
    while (low < high) {
      const middle = (low + high) >> 1
      if (ranges[middle]!.to < step) low = middle + 1
      else high = middle
    }
    const range = ranges[low]
    if (range === undefined || step + 1 < range.from) {
      ranges.splice(low, 0, { from: step, to: step + 1 })
      return true
    }
    if (step >= range.from && step < range.to) return false
    if (step === range.to) {
      range.to++
      const next = ranges[low + 1]
      if (next !== undefined && next.from === range.to) {
        range.to = next.to
        ranges.splice(low + 1, 1)
      }
    } else range.from = step
    return true
  }
}
