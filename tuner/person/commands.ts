// What a person may ask of a run: take the rate over and hand it back, switch or undo by hand, pause, finish, change the
// budget or the mode. A person's word always wins, within the job's own limits, and is recorded with who and why. Commands
// that have no meaning at the moment (an undo without a switch) are answered by a record that says so: nothing accepted is
// silently lost.

import type { Command } from '../../protocol/vocabulary.ts'
import { watchedAfresh } from '../guard/watch.ts'
import { clampedRate, givenRate, isSteering } from '../options.ts'
import { annealCourse, enterAnneal, enterDone, largeCourse } from '../phases/enter.ts'
import { judgementNow } from '../phases/judgement.ts'
import { weightsAtHand } from '../phases/kept.ts'
import { type Draft, isOfTheCourse, type Outcome, type Run } from '../phases/phase.ts'
import { searchCutShort } from '../phases/search/search.ts'
import { switchDraft } from '../phases/switchRecord.ts'
import { answeredByHand } from './approval.ts'
import { rebudgeted } from './budget.ts'
import { isUndoable, undone } from './undo.ts'

/** A branch changes nothing of the run: branch.ts. */
type OfTheRun = Exclude<Command, { kind: 'branch' }>
type Said = Pick<Command, 'by' | 'reason'>

export function obeyed(run: Run, command: OfTheRun): Outcome {
  const { course, seen } = run
  if (course.kind === 'done') return noted(run, command, 'ended')
  switch (command.kind) {
    case 'approve':
    case 'reject':
      return answeredByHand(run, command) ?? noted(run, command, 'not-asked', { number: command.decision })
    case 'override':
      return overridden(run, command)
    case 'hand-back':
      return run.person.override === null
        ? noted(run, command, 'no-override')
        : handedBack(run, 'handed-back', { by: command.by, reason: command.reason })
    case 'switch-now':
      return switchedByHand(run, command)
    case 'undo-switch':
      if (course.kind !== 'anneal') return noted(run, command, 'no-switch')
      if (!isUndoable(run)) return noted(run, command, 'undo-too-late')
      return undone(run, course, { reason: 'undone-by-hand', rule: 'person', person: command })
    case 'pause':
    case 'resume':
      return paused(run, command)
    case 'finish': {
      const { keep, values } = weightsAtHand(run)
      return enterDone(run, { isAsked: true, keep }, [
        byHand(command, 'finish', 'finished-by-hand', { step: seen.step, ...values }),
      ])
    }
    case 'set-budget':
      return rebudgeted(run, command)
    case 'set-mode':
      return remoded(run, command)
  }
}

const byHand = (
  { by, reason }: Said,
  kind: Draft['kind'],
  key: string,
  values: Draft['values'] = {},
): Draft => ({ kind, rule: 'person', reason: key, values, person: { by, reason } })

/** A record that changes nothing else: a hold, as the course is kept. */
const noted = (run: Run, command: Said, key: string, values: Draft['values'] = {}): Outcome => ({
  course: run.course,
  records: [byHand(command, 'hold', `noted-${key}`, { step: run.seen.step, ...values })],
})

function overridden(run: Run, command: Extract<Command, { kind: 'override' }>): Outcome {
  const { seen, person, options, course } = run
  const { untilStep, reason } = command
  if (untilStep <= seen.step) return noted(run, command, 'override-past', { untilStep })
  const learningRate = clampedRate(options, command.learningRate)
  const values = { rate: learningRate, untilStep, asked: command.learningRate }
  const draft = byHand(command, 'override', 'set-by-hand', values)
  const taken = { ...person, override: { learningRate, untilStep, reason } }
  // What follows is no arm's result, so the search ends without one.
  const cut =
    course.kind === 'search'
      ? searchCutShort(run, course, { reason: 'search-overridden', isFromStart: false })
      : null
  return {
    ...(cut ?? { course }),
    change: { ...cut?.change, person: taken },
    records: [...(cut?.records ?? []), draft],
  }
}

/** The end of an override, by hand or because its step has come. */
export const handedBack = (run: Run, key: string, person?: { by: string; reason: string }): Outcome => ({
  course: run.course,
  change: { person: { ...run.person, override: null } },
  records: [{ kind: 'hand-back', rule: 'person', reason: key, values: { step: run.seen.step }, person }],
})

function switchedByHand(run: Run, command: Extract<Command, { reason: string }>): Outcome {
  if (run.course.kind === 'anneal') return noted(run, command, 'annealing')
  const judgement = judgementNow(run)
  const anneal = annealCourse(run, 'command', judgement, run.seen.step)
  const draft = { ...switchDraft(run, anneal, judgement), person: { by: command.by, reason: command.reason } }
  if (isSteering(run.mode)) return enterAnneal(run, anneal, [draft])
  // Where nothing is steered a person's word is noted, and the job does as it will.
  return { course: run.course, records: [{ ...draft, status: 'advisory' }] }
}

function paused(run: Run, command: Extract<Command, { reason: string }>): Outcome {
  const { person, course, seen } = run
  const kind = command.kind as 'pause' | 'resume'
  const isPause = kind === 'pause'
  if (person.isPaused === isPause) return noted(run, command, isPause ? 'paused-already' : 'not-paused')
  return {
    course,
    change: { person: { ...person, isPaused: isPause } },
    withdraw: (action) => action.kind === 'pause' || action.kind === 'resume',
    ask: [{ kind, atStep: seen.step }],
    records: [byHand(command, 'hold', isPause ? 'paused' : 'resumed-by-hand', { step: seen.step })],
  }
}

/** Leaving the steering modes ends a search or an anneal and takes back what was asked: nothing is applied any more. */
function remoded(run: Run, command: Extract<Command, { kind: 'set-mode' }>): Outcome {
  const { course, seen, trajectory, options } = run
  const { mode } = command
  const draft: Draft = { ...byHand(command, 'hold', 'mode-set'), text: mode }
  if (isSteering(mode) === isSteering(run.mode)) return { course, change: { mode }, records: [draft] }
  if (!isSteering(mode))
    return {
      course: course.kind === 'large' ? { ...course, rate: null, ramp: null } : largeCourse(seen.step, null),
      change: { mode, trajectory: { ...trajectory, awaited: null } },
      withdraw: isOfTheCourse,
      records: [draft],
    }
  // The guard acts on what it sees from here on: what the job did by itself may have been its own plan.
  const rate = seen.learningRate ?? givenRate(options)
  return {
    course: course.kind === 'large' ? { ...course, rate, advisedAtStep: null } : largeCourse(seen.step, rate),
    change: { mode, seen: { ...seen, guard: watchedAfresh(seen.guard) } },
    records: [draft],
  }
}
