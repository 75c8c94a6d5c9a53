// The job has asked for its run again, as a process does that goes on from a checkpoint of its own: its next step may be an
// earlier one than was reported. Nothing else changes by it.

import { type Turn, updated } from '../settle.ts'

export const resumed = (turn: Turn): Turn => updated(turn, { seen: { ...turn.state.seen, isResumed: true } })
