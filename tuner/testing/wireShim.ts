// What protocol version 1.1 adds to the types, until the schemas have it.

import type {
  Capability,
  Decision,
  Observation,
  RunOptions,
  SampleColumns,
} from '../../protocol/vocabulary.ts'
import type { TunerSummary } from '../index.ts'

export type WireCapability = Capability | 'rewind'
export type WireColumns = SampleColumns & {
  readonly objective?: readonly (string | null)[]
  readonly tokens?: readonly (number | null)[]
}
export const asOptions = (options: object): RunOptions => options as RunOptions
export const asObservation = (observation: object): Observation => observation as Observation

export type Hits = { readonly met: number; readonly of: number }
/** The parts of a test that the cases look at. */
export function testOf(decision: Decision): { key: string; satisfied: boolean; hits: Hits } | undefined {
  const test = decision.test as
    | undefined
    | { key?: string; satisfied: boolean; hits?: Hits; consecutive?: string }
  if (test === undefined) return undefined
  const [met, of] = (test.consecutive ?? '0 of 0').split(' of ').map(Number)
  const hits = test.hits ?? { met: met!, of: of! }
  return { key: test.key ?? decision.rule.id, satisfied: test.satisfied, hits }
}
export const reasonOf = (decision: Decision): string | undefined =>
  (decision as { reason?: { key: string } }).reason?.key

type BadSamples = TunerSummary['badSamples'] & {
  readonly nonFiniteNorms?: number
  readonly skipped?: number
  readonly farAhead?: number
}
export type WireSummary = Omit<TunerSummary, 'badSamples'> & {
  readonly badSamples: BadSamples
  readonly drift?: { sinceStep: number; applied: number; planned: number } | null
  readonly outcome?: { firstLoss: number | null; keptLoss: number | null; isBetter: boolean | null } | null
  readonly advice?: { step: number; kind: 'switch' | 'finish' } | null
}
export const asSummary = (summary: TunerSummary): WireSummary => summary as WireSummary

export const familyOf = (name: string): string =>
  /muon/i.test(name)
    ? 'muon'
    : /adam|lamb|lion|adafactor|adagrad|rmsprop|sophia|shampoo|soap|prodigy/i.test(name)
      ? 'adam'
      : /sgd|momentum|nesterov|lars|heavy/i.test(name)
        ? 'sgd'
        : 'other'
