// Logs as values: folded, and changed in ways that must not matter.

import type { Command, Decision, Observation, SampleColumns } from '../../../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../../index.ts'

export type Folded = { readonly state: TunerState; readonly decisions: readonly Decision[] }

/** Folds a log; `between` may replace the state after an observation by one that should be as good. */
export function foldedLog(
  log: readonly Observation[],
  between: (state: TunerState, i: number) => TunerState = (state) => state,
): Folded {
  let state = initialState()
  const decisions: Decision[] = []
  for (const [i, observation] of log.entries()) {
    const result = tune(state, observation)
    state = between(result.state, i)
    decisions.push(...result.decisions)
  }
  return { state, decisions }
}

export const renumbered = (log: readonly Observation[]): Observation[] =>
  log.map((observation, i) => ({ ...observation, number: i + 1 }))

type Column = readonly (number | string | null)[]

/** The same operation on every column, own metrics included. */
export function mapColumns(columns: SampleColumns, change: (column: Column) => Column): SampleColumns {
  const { metrics, ...rest } = columns
  const entries = Object.entries(rest).map(([name, column]) => [name, change(column as Column)])
  const own = Object.entries(metrics ?? {}).map(([name, column]) => [name, change(column)])
  const changed = { ...Object.fromEntries(entries), ...(metrics ? { metrics: Object.fromEntries(own) } : {}) }
  return changed as SampleColumns
}

/** Samples in other batches: neighbours that followed one plan merge, and are cut elsewhere. */
export function rebatched(log: readonly Observation[], lengths: readonly number[]): Observation[] {
  const merged: Observation[] = []
  for (const observation of log) {
    const last = merged.at(-1)
    const joins =
      observation.kind === 'samples' &&
      last?.kind === 'samples' &&
      observation.planVersion === last.planVersion &&
      Object.keys(observation.columns).join() === Object.keys(last.columns).join()
    if (!joins) merged.push(observation)
    else merged[merged.length - 1] = { ...last, columns: joinedColumns(last.columns, observation.columns) }
  }
  let cut = 0
  const batches = merged.flatMap((observation): Observation[] => {
    if (observation.kind !== 'samples') return [observation]
    const parts: Observation[] = []
    for (let from = 0; from < observation.columns.step.length; ) {
      const to = from + lengths[cut++ % lengths.length]!
      const at = from
      parts.push({
        ...observation,
        columns: mapColumns(observation.columns, (column) => column.slice(at, to)),
      })
      from = to
    }
    return parts
  })
  return renumbered(batches)
}

function joinedColumns(a: SampleColumns, b: SampleColumns): SampleColumns {
  const other = b as unknown as Readonly<Record<string, Column>>
  const both = Object.entries(a)
    .filter(([name]) => name !== 'metrics')
    .map(([name, column]) => [name, [...(column as Column), ...other[name]!]])
  return Object.fromEntries(both) as SampleColumns
}

/** Every loss, of samples and of evaluations, changed in one way. */
export function withLosses(log: readonly Observation[], change: (loss: number) => number): Observation[] {
  const score = <T extends { readonly loss: number }>(one: T): T => ({ ...one, loss: change(one.loss) })
  return log.map((observation): Observation => {
    if (observation.kind === 'samples') {
      const loss = (observation.columns.loss ?? []).map((one) => (one === null ? null : change(one)))
      return { ...observation, columns: { ...observation.columns, loss } }
    }
    if (observation.kind !== 'probe' || observation.probe.kind !== 'valley') return observation
    const { probe } = observation
    return { ...observation, probe: { ...probe, raw: score(probe.raw), averaged: probe.averaged.map(score) } }
  })
}

function movedCommand(command: Command, by: number): Command {
  return command.kind === 'override' ? { ...command, untilStep: command.untilStep + by } : command
}

/**
 * The log of the same job whose counter began so much later, which it tells or does not. Plans are not named, since their
 * versions may differ.
 */
export function withOrigin(log: readonly Observation[], by: number, isTold: boolean): Observation[] {
  return log.map((observation): Observation => {
    switch (observation.kind) {
      case 'start':
        return { ...observation, options: { ...observation.options, firstStep: isTold ? by : null } }
      case 'samples': {
        const { planVersion: _, ...rest } = observation
        const step = observation.columns.step.map((one) => one + by)
        return { ...rest, columns: { ...observation.columns, step } }
      }
      case 'probe':
        return { ...observation, probe: { ...observation.probe, step: observation.probe.step + by } }
      case 'acknowledgement': {
        const { acknowledgement } = observation
        return { ...observation, acknowledgement: { ...acknowledgement, step: acknowledgement.step + by } }
      }
      case 'command':
        return { ...observation, command: movedCommand(observation.command, by) }
      default:
        return observation
    }
  })
}

/** What a decision says, whatever observation it came with. */
export const withoutCause = (decisions: readonly Decision[]): readonly Decision[] =>
  decisions.map((decision) => ({ ...decision, cause: 0 }))

/** The gist of decisions, with steps counted from an origin. */
export const gist = (decisions: readonly Decision[], origin = 0): readonly string[] =>
  decisions
    // That the counter did not begin at 0 is said only where it did not.
    .filter(({ kind, reason }) => kind !== 'start' && reason.key !== 'origin')
    .map(({ kind, step, phase, status, reason, test }) =>
      [
        `${kind} at ${step - origin}`,
        `${phase.from} to ${phase.to}`,
        status,
        reason.key,
        test === undefined ? '' : `${test.key} ${test.satisfied} ${test.hits.met} of ${test.hits.of}`,
      ].join(', '),
    )
