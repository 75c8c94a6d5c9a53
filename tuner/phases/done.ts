// The end: nothing is judged any more. A job that still takes its last steps follows its plan to them.

import { cutBefore, endedSegments, horizonOf } from '../plan/segments.ts'
import type { Done } from '../state.ts'
import type { Phase } from './phase.ts'

export const done: Phase<Done> = {
  wakeAt: () => Infinity,
  sampled: () => null,
  probed: (_run, course) => ({ course }),
  answered: () => null,
  segments(run, course) {
    const horizon = horizonOf(run)
    const left = cutBefore(run.plan.segments, horizon.step)
    const isAnnealing =
      course.end === 'finished' && left.length > 0 && left.every(({ phase }) => phase === 'anneal')
    return isAnnealing && left.at(-1)!.toStep === horizon.end ? left : endedSegments(horizon)
  },
  awaitAtStep: () => null,
}
