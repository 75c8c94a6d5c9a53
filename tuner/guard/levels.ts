// Where the loss of late lies and how far it scatters, from the blocks that the guard remembers (watch.ts). The lists are
// only ever replaced, never written to, so what follows from one is worked out once. Cost: O(40) for a list that is new.

import { mean } from 'simple-statistics'
import { createWindow } from '../estimators/middle.ts'
import { normalPerMad } from '../estimators/uncertainty.ts'

/** Blocks that make a level, rises behind a judgement, and blocks that show a bend. */
export const levelBlocks = 8
export const risesNeeded = 8
const bendBlocks = 4

/** Of blocks that were not high, newest last: mean loss, deviation of single steps, rise over the level before. */
export type Levels = {
  readonly levels: readonly number[]
  readonly scatters: readonly number[]
  readonly rises: readonly number[]
}

const levelsOfLate = createWindow()
const scattersOfLate = createWindow()
const risesOfLate = createWindow()

/** The level of the last eight blocks; null = they are not there yet. */
export const levelOf = ({ levels }: Pick<Levels, 'levels'>): number | null =>
  levels.length < levelBlocks ? null : levelsOfLate.medianOf(levels)

/** Deviation of single steps in the middle block of those remembered; 0 = none. */
export const usualOf = ({ scatters }: Pick<Levels, 'scatters'>): number =>
  scatters.length === 0 ? 0 : scattersOfLate.medianOf(scatters)

/** Deviation of what a block's mean rises by, or of single steps; null = there is none, or too little to tell. */
export function scatterOf(state: Levels): number | null {
  const { rises, levels } = state
  const ofBlocks =
    rises.length < risesNeeded ? bendOf(levels) : normalPerMad * risesOfLate.medianDeviationOf(rises)
  const scatter = Math.max(ofBlocks, usualOf(state))
  return scatter > 0 ? scatter : null
}

/** By how much the course of few blocks bends: scatter that knows of correlation, and of no trend. */
const bendOf = (levels: readonly number[]): number =>
  levels.length < bendBlocks
    ? 0
    : mean(levels.slice(2).map((level, i) => Math.abs(level - 2 * levels[i + 1]! + levels[i]!)))
