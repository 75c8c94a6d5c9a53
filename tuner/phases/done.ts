// The end: nothing is judged any more. A job that still takes its last steps follows its plan to them.

import { momentumOf } from '../options.ts'
import { endOf, lengthOf } from '../plan/bounds.ts'
import { cutBefore, endedSegments } from '../plan/segments.ts'
import type { Done } from '../state.ts'
import type { Phase } from './phase.ts'

export const done: Phase<Done> = {
  wakeAt: () => Infinity,
  sampled: () => null,
  probed: (_run, course) => ({ course }),
  answered: () => null,
  segments(run, course) {
    const horizon = {
      step: run.seen.step,
      end: endOf(run),
      length: lengthOf(run),
      momentum: momentumOf(run.options),
    }
    const left = cutBefore(run.plan.segments, run.seen.step)
    const isAnnealing =
      course.end === 'finished' && left.length > 0 && left.every(({ phase }) => phase === 'anneal')
    return isAnnealing && left.at(-1)!.toStep === horizon.end ? left : endedSegments(horizon)
  },
  awaitAtStep: () => null,
}
