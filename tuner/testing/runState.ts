// States of runs for tests of one rule: a run in the large phase, 1,000 steps into 3,000, with what a test changes of it.

import { initialState } from '../fold/start.ts'
import { largeCourse } from '../phases/enter.ts'
import type { Anneal, Large, Seen, TunerState } from '../state.ts'
import { allCapabilities } from './syntheticOptions.ts'

export type RunChange = Partial<Omit<TunerState, 'seen' | 'options'>> & {
  readonly seen?: Partial<Seen>
  readonly options?: Partial<TunerState['options']>
}

export function runState({ seen, options, ...change }: RunChange = {}): TunerState {
  const initial = initialState()
  return {
    ...initial,
    mode: 'auto',
    budgetSteps: 3_000,
    course: largeState(),
    ...change,
    options: { ...initial.options, capabilities: allCapabilities, ...options },
    seen: {
      ...initial.seen,
      origin: 0,
      isOriginSure: true,
      step: 1_000,
      learningRate: 0.1,
      ...seen,
    },
  }
}

/** The course of the large phase from step 0 on at .1. */
export const largeState = (change: Partial<Large> = {}): Large => ({ ...largeCourse(0, 0.1), ...change })

/** An anneal by the rule at 1,000 of 2,000 steps, from .1. */
export const annealState = (change: Partial<Anneal> = {}): Anneal => ({
  kind: 'anneal',
  fromStep: 1_000,
  toStep: 2_000,
  fromRate: 0.1,
  reason: 'rule',
  largeFromStep: 0,
  fromRunLength: 1_000,
  scale: null,
  promised: null,
  rest: null,
  isCutShort: false,
  isUnprobed: false,
  ramp: null,
  losses: [],
  bestLevel: null,
  isComparing: false,
  ...change,
})

/** What the last evaluation of the switch rule looked ahead to. */
export const outlookOf = (
  stayingGain: number | null,
  annealingGain: number | null,
  earliestStep: number | null,
): NonNullable<Large['outlook']> => ({
  stayingGain,
  annealingGain,
  earliestStep,
  probability: 0.1,
  alternatives: [],
})
