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

/** So fast does time pass while the clock on the wall, which was set back, is behind: the two meet again by and by. */
const catchingUp = 0.9

/**
 * The clock, with a time that never goes back: where it is set back, ours goes on a little slower until the other has caught up.
 * So what lies between two times is never negative, and a run falls silent when it does, an hour or not.
 */
export function steadyClock(clock: Clock): Clock {
  let time = clock.now()
  let seenAt = clock.monotonic()
  const now = () => {
    const at = clock.monotonic()
    time = Math.max(clock.now(), time + catchingUp * (at - seenAt))
    seenAt = at
    return Math.floor(time)
  }
  return { ...clock, now }
}

/** ISO 8601, UTC, with milliseconds. */
export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString()
