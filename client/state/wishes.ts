// The settings of a what-if that differ from those in force, as they stand in the address (`set.budget=4000`): texts, as a
// person types them. `none` is the word for a setting that is to be left open. What they ask of the server is made of them,
// and a text that is no setting becomes a sentence beside its field.

import { type Capability, type Mode, modes, type RunSummary } from '../../protocol/vocabulary.ts'
import type { WhatIfRequest } from '../connection/api.ts'

export const wishNames = ['mode', 'budget', 'initial', 'min', 'max', 'warmup', 'without'] as const
export type WishName = (typeof wishNames)[number]
export type Wishes = Readonly<Partial<Record<WishName, string>>>

/** What stands for "not set", in a field and in the address. */
export const noneWord = 'none'

export function parseWishes(parameters: URLSearchParams): Wishes {
  const found: Partial<Record<WishName, string>> = {}
  for (const name of wishNames) {
    const text = parameters.get(`set.${name}`)
    if (text !== null && text !== '') found[name] = text
  }
  return found
}

export function formatWishes(wishes: Wishes, parameters: URLSearchParams): void {
  for (const name of wishNames) {
    const text = wishes[name]
    if (text !== undefined && text !== '') parameters.set(`set.${name}`, text)
  }
}

/** The settings in force, in the same words. */
export function inForce({ options, mode, budgetSteps }: RunSummary): Readonly<Record<WishName, string>> {
  const { initial, min, max } = options.learningRate
  const words = (value: number | null) => (value === null ? noneWord : String(value))
  return {
    mode,
    budget: words(budgetSteps),
    initial: words(initial),
    min: words(min),
    max: words(max),
    warmup: words(options.warmupSteps),
    without: '',
  }
}

/** The wishes with one of them changed; what is in force is left out. */
export function withWish(wishes: Wishes, run: RunSummary, name: WishName, text: string): Wishes {
  const { [name]: _, ...others } = wishes
  return text.trim() === '' || text.trim() === inForce(run)[name]
    ? others
    : { ...others, [name]: text.trim() }
}

export const withoutOf = (wishes: Wishes): readonly string[] =>
  (wishes.without ?? '').split(',').filter((name) => name !== '')

type Errors = Readonly<Partial<Record<WishName, string>>>
export type WishCheck = { readonly request: WhatIfRequest; readonly errors: Errors; readonly sound: boolean }

/** A number behind a text; null = none; undefined = neither. */
function numberOf(text: string): number | null | undefined {
  if (text === noneWord) return null
  const value = Number(text.replaceAll(',', ''))
  return Number.isFinite(value) ? value : undefined
}

function rateOf(text: string | undefined, zeroToo: boolean): number | null | undefined | string {
  if (text === undefined) return undefined
  const value = numberOf(text)
  if (value === undefined || (value !== null && (zeroToo ? value < 0 : value <= 0)))
    return `must be a rate ${zeroToo ? 'of 0 or more' : 'above 0'}, or ${noneWord}`
  return value
}

function stepsOf(text: string | undefined, least: number): number | null | undefined | string {
  if (text === undefined) return undefined
  const value = numberOf(text)
  if (value === undefined || (value !== null && (!Number.isInteger(value) || value < least)))
    return `must be a whole number of ${least} or more, or ${noneWord}`
  return value
}

/** What the wishes ask of the server. */
export function checkWishes(wishes: Wishes, run: RunSummary): WishCheck {
  const errors: Partial<Record<WishName, string>> = {}
  const sound = <T>(name: WishName, value: T | string | undefined): T | undefined => {
    if (typeof value !== 'string') return value
    errors[name] = value
    return undefined
  }
  const mode: Mode | undefined = modes.find((entry) => entry === wishes.mode)
  if (wishes.mode !== undefined && mode === undefined) errors.mode = `must be one of ${modes.join(', ')}`
  const budgetSteps = sound('budget', stepsOf(wishes.budget, 20))
  const warmupSteps = sound('warmup', stepsOf(wishes.warmup, 0))
  const initial = sound('initial', rateOf(wishes.initial, false))
  const min = sound('min', rateOf(wishes.min, true))
  const max = sound('max', rateOf(wishes.max, false))
  const rates = defined({ initial, min, max })
  const left = withoutOf(wishes)
  const capabilities: readonly Capability[] = run.options.capabilities.filter((name) => !left.includes(name))
  const request = defined({
    mode,
    budgetSteps,
    warmupSteps,
    learningRate: Object.keys(rates).length === 0 ? undefined : rates,
    capabilities: left.length === 0 ? undefined : capabilities,
  })
  return { request, errors, sound: Object.keys(errors).length === 0 }
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }
const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>
