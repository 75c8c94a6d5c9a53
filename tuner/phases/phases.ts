// The phases by the course that a run is in: the one table.

import type { Acknowledgement, Action, Segment, ValleyProbe } from '../../protocol/vocabulary.ts'
import type { SignalsReading } from '../signals/signals.ts'
import type { Course } from '../state.ts'
import { anneal } from './anneal/anneal.ts'
import { done } from './done.ts'
import { large } from './large/large.ts'
import type { Outcome, Phase, Run } from './phase.ts'
import { search } from './search/search.ts'

const phases: { readonly [K in Course['kind']]: Phase<Extract<Course, { kind: K }>> } = {
  search,
  large,
  anneal,
  done,
}

const phaseNow = ({ course }: Run): Phase<Course> => phases[course.kind] as unknown as Phase<Course>

export const wakeAt = (run: Run): number => phaseNow(run).wakeAt(run, run.course)
export const sampled = (run: Run): Outcome | null => phaseNow(run).sampled(run, run.course)
export const probed = (run: Run, probe: ValleyProbe, reading: SignalsReading): Outcome =>
  phaseNow(run).probed(run, run.course, probe, reading)
export const answered = (run: Run, action: Action, acknowledgement: Acknowledgement): Outcome | null =>
  phaseNow(run).answered(run, run.course, action, acknowledgement)
export const segmentsOf = (run: Run): readonly Segment[] => phaseNow(run).segments(run, run.course)
export const awaitAtStepOf = (run: Run): number | null => phaseNow(run).awaitAtStep(run, run.course)
