// How long to wait before connecting again: 1, 2, 4, 8, then 10 s. Our own timer instead of the socket
// library's, because the page says how many seconds are left and offers "Now".

/** Longest wait between two attempts, in milliseconds. */
export const retryDelayMsMax = 10_000

/** Wait before attempt 1, 2, 3, … in milliseconds. */
export function retryDelayMs(attempt: number): number {
  return Math.min(retryDelayMsMax, 1000 * 2 ** Math.min(20, Math.max(0, attempt - 1)))
}
