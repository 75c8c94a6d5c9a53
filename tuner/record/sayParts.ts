// Numbers of a record as they stand in its sentences.

import { formatNumber, formatPair, formatPlural, formatRate, formatStep } from '../../protocol/numbers.ts'
import type { Reason } from '../../protocol/vocabulary.ts'

export type Values = Reason['values']

export const rate = (values: Values, name = 'rate'): string => formatRate(values[name] ?? 0)
export const step = (values: Values, name = 'step'): string => formatStep(values[name] ?? 0)
export const number = (values: Values, name: string): string => formatNumber(values[name] ?? 0)
export const steps = (values: Values, name = 'steps'): string => formatPlural(values[name] ?? 0, 'step')
export const inBrackets = (text: string | undefined): string =>
  text === undefined || text === '' ? '' : ` (${text})`
export const capital = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}`
export const pair = ({ staying, annealing }: Values): string =>
  staying == null || annealing == null ? '' : ` (${formatPair(staying, annealing)})`
