// The job has asked for its run again, as a process does that goes on from a checkpoint of its own: its next step may be an
// earlier one than was reported, and its loss may stand where it stood then.

import { watchedAfresh } from '../guard/watch.ts'
import { settle, type Turn } from '../settle.ts'

export function resumed(turn: Turn): Turn {
  const { course, seen } = turn.state
  const change = { seen: { ...seen, isResumed: true, guard: watchedAfresh(seen.guard) } }
  return course.kind === 'done' ? turn : settle(turn, { course, change })
}
