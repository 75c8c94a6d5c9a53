// Time as an argument. The server reads no other clock, so tests run on virtual time.

export type Clock = {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Milliseconds of a clock that nobody sets, from any beginning: for intervals. */
  monotonic(): number
  /** Calls back once after `milliseconds`; the returned function cancels. Does not keep the process alive. */
  after(milliseconds: number, callback: () => void): () => void
}

/** The real clock; made once, where the program starts. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** ISO 8601, UTC, with milliseconds. */
export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString()
