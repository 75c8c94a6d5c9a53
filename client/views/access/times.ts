// When a token was last used, as people say it: to the minute, as it is noted.

import { formatPlural } from '../../../protocol/numbers.ts'

/** @param nowMs milliseconds since 1970 */
export function timeAgo(time: string, nowMs: number): string {
  const minutes = Math.floor((nowMs - Date.parse(time)) / 60_000)
  if (minutes < 2) return 'now'
  if (minutes < 120) return `${minutes} min ago`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ago` : `${formatPlural(Math.floor(hours / 24), 'day')} ago`
}
