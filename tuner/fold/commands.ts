// What a person may ask of a run: take the rate over and hand it back, switch or undo by hand, pause, finish,
// change the budget or the mode. A person's word always wins, within the job's own limits, and is recorded
// with who and why. Commands that have no meaning at the moment (an undo without a switch) are answered by a
// record that says so: nothing accepted is silently lost.

import type { Command, Mode } from '../../protocol/vocabulary.ts'
import { watchAfresh } from '../guard/divergence.ts'
import { clampedRate, conservativeRate, isSteering } from '../options.ts'
import { answered } from '../person/approval.ts'
import { rebudgeted } from '../person/budget.ts'
import { switched, withLastProbe } from '../phases/anneal/switching.ts'
import { isUndoable, undone } from '../phases/anneal/undo.ts'
import { finished } from '../phases/done.ts'
import { judgementNow } from '../phases/large/judgement.ts'
import { searchOverridden } from '../phases/search/warmup.ts'
import {
  asked,
  decided,
  inPhase,
  proposalEnded,
  replanned,
  type Turn,
  updated,
  withdrawn,
} from '../phases/settle.ts'
import { formatRate, formatStep } from '../record/sentences.ts'

const personRule = { id: 'person', version: 1 } as const

export function obeyed(turn: Turn, command: Command): Turn {
  if (turn.state.phase === 'done') return noted(turn, `Nothing done: the run has ended (${command.kind}).`)
  switch (command.kind) {
    case 'approve':
    case 'reject':
      return (
        answered(turn, command) ??
        noted(turn, `Nothing done: decision ${formatStep(command.decision)} does not await approval.`)
      )
    case 'override':
      return overridden(turn, command)
    case 'hand-back':
      return handedBack(turn, because(command.reason))
    case 'switch-now':
      return turn.state.phase === 'anneal'
        ? noted(turn, 'Nothing done: the anneal is already under way.')
        : switched(turn, 'command', judgementNow(turn.state), { detail: command.reason })
    case 'undo-switch':
      return undoneByHand(turn, command.reason)
    case 'pause':
      return paused(turn, true)
    case 'resume':
      return paused(turn, false)
    case 'finish':
      return finished(turn, {
        keep: 'last',
        summary: `Finished at step ${formatStep(turn.state.step)} by hand${because(command.reason)}.`,
      })
    case 'set-budget':
      return rebudgeted(turn, command.budgetSteps)
    case 'set-mode':
      return remoded(turn, command)
  }
}

const because = (reason: string): string => (reason === '' ? '' : ` (${reason})`)

/**
 * A record that changes nothing else: a hold, as the course is kept. Its rule, `person`, tells it from the holds
 * of the switch rule, of which there is at most one a probe.
 */
function noted(turn: Turn, summary: string): Turn {
  return decided(turn, { kind: 'hold', summary, phaseBefore: turn.state.phase, rule: personRule })
}

function overridden(turn: Turn, command: Extract<Command, { kind: 'override' }>): Turn {
  const { state } = turn
  const { untilStep, reason } = command
  if (untilStep <= state.step)
    return noted(
      turn,
      `Nothing done: the override was to end at step ${formatStep(untilStep)}, and step ${formatStep(state.step)} is past it.`,
    )
  const learningRate = clampedRate(state.options, command.learningRate)
  const clamped =
    learningRate === command.learningRate
      ? ''
      : `, clamped from ${formatRate(command.learningRate)} to this run's limits`
  const searched = searchOverridden(turn)
  const next = replanned(updated(searched, { override: { learningRate, untilStep, reason } }))
  return decided(next, {
    kind: 'override',
    summary: `Set by hand: ${formatRate(learningRate)} until step ${formatStep(untilStep)}${clamped}${because(reason)}.`,
    phaseBefore: state.phase,
    rule: personRule,
  })
}

/** The end of an override, by hand or because its step has come. */
export function handedBack(turn: Turn, why: string): Turn {
  if (turn.state.override === null) return noted(turn, 'Nothing done: no override is in force.')
  const next = replanned(updated(turn, { override: null }))
  const rate = next.state.plan.segments[0]?.from ?? 0
  return decided(next, {
    kind: 'hand-back',
    summary: `Handed back at step ${formatStep(turn.state.step)}${why}: the rate is ${formatRate(rate)} again.`,
    phaseBefore: turn.state.phase,
    rule: personRule,
  })
}

function undoneByHand(turn: Turn, reason: string): Turn {
  const { anneal } = turn.state
  if (anneal === null) return noted(turn, 'Nothing done: there is no switch to undo.')
  if (!isUndoable(turn.state)) return noted(turn, 'Too late to undo: under 20 % of the budget is left.')
  return undone(turn, anneal, { because: reason, rule: personRule })
}

function paused(turn: Turn, isPause: boolean): Turn {
  const { lifecycle, step } = turn.state
  const isMeant = isPause ? lifecycle === 'running' || lifecycle === 'waiting' : lifecycle === 'paused'
  if (!isMeant) return noted(turn, `Nothing done: the run is ${lifecycle}.`)
  const kept = withdrawn(turn, ({ kind }) => kind === 'pause' || kind === 'resume')
  const asks = asked(kept, [{ kind: isPause ? 'pause' : 'resume', atStep: step }])
  return noted(
    updated(asks, {
      lifecycle: isPause ? 'paused' : turn.state.approval.pending === null ? 'running' : 'waiting',
    }),
    isPause ? `Paused at step ${formatStep(step)} by hand.` : `Resumed at step ${formatStep(step)} by hand.`,
  )
}

/** Leaving auto ends a search and takes back what was asked: without auto nothing is applied. */
function remoded(before: Turn, command: Extract<Command, { kind: 'set-mode' }>): Turn {
  const turn = adviceForgotten(proposalEnded(before, 'superseded', 'the mode was set by hand'), command.mode)
  const { state } = turn
  const { mode, reason } = command
  const said = `Mode set to ${mode}${because(reason)}.`
  if (isSteering(mode) || !isSteering(state.mode)) {
    const largeLearningRate = state.largeLearningRate ?? state.learningRate ?? conservativeRate(state.options)
    const isHandedOver = isSteering(mode) && !isSteering(state.mode)
    const isLarge = isSteering(mode) && state.warmup === null
    const next = updated(turn, {
      mode,
      ...(isLarge ? { largeLearningRate } : {}),
      // The guard acts on what it sees from here on: what the job did by itself may have been its own plan.
      ...(isHandedOver ? { divergence: watchAfresh(state.divergence) } : {}),
    })
    return noted(replanned(isSteering(mode) ? withLastProbe(next) : next), said)
  }
  const isAsked = ({ kind }: { kind: string }) => kind !== 'pause' && kind !== 'resume'
  const left = state.phase === 'warmup' ? inPhase(turn, 'large') : turn
  const next = updated(withdrawn(left, isAsked), { mode, warmup: null, rewarm: null, awaitedRestore: null })
  return noted(replanned(next), said)
}

/** An anneal that was only advised needs approval like any other. */
function adviceForgotten(turn: Turn, mode: Mode): Turn {
  const { state } = turn
  if (mode !== 'approve' || isSteering(state.mode) || state.anneal === null) return turn
  return updated(inPhase(turn, 'large'), { anneal: null, switchStep: null })
}
