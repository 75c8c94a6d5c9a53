// One glyph per kind of decision, so that colour is never alone, and the rule by which glyphs that would
// touch become one numbered stack. Glyph paths are in px around (0, 0), about 11 px high; the same paths draw
// the ribbon's buttons (SVG) and the small marks on the charts (canvas).

import type { Decision, DecisionKind, DecisionStatus } from '../../protocol/vocabulary.ts'
import { directedKind, isUnapplied } from '../views/words.ts'
import type { ColorName } from './palette.ts'

export type Glyph = {
  readonly path: string
  readonly color: ColorName
  readonly hollow: boolean
  /** A second, open path drawn over the first. */
  readonly stroke?: string
  /** The outline is broken: what nobody answered in time. */
  readonly isDashed?: true
}

const kindGlyphs: Readonly<Record<DecisionKind, Glyph>> = {
  start: { path: 'M-3.5-4.5L4.5 0L-3.5 4.5Z', color: 'ink-2', hollow: false },
  raise: { path: 'M-5 4L5 4L0-4.6Z', color: 'large', hollow: false },
  lower: { path: 'M-5-4L5-4L0 4.6Z', color: 'large', hollow: false },
  switch: { path: 'M0-5.6L5.6 0L0 5.6L-5.6 0Z', color: 'anneal', hollow: false },
  undo: {
    path: 'M0-5.6L5.6 0L0 5.6L-5.6 0Z',
    color: 'large',
    hollow: true,
    stroke: 'M2-1H-1.6M0-3L-2-1L0 1',
  },
  guard: {
    path: 'M-2.4-5.6H2.4L5.6-2.4V2.4L2.4 5.6H-2.4L-5.6 2.4V-2.4Z',
    color: 'bad',
    hollow: false,
    stroke: 'M0-3V.6M0 2.6V3',
  },
  override: { path: 'M-4.6-4.6H4.6V4.6H-4.6Z', color: 'human', hollow: false },
  'hand-back': { path: 'M-4.2-4.2H4.2V4.2H-4.2Z', color: 'human', hollow: true },
  drift: { path: 'M-5.6 2.2C-2.8-6 1.4 1.6 5.6-4.6V-.2C1.4 6-2.8-1.6-5.6 6Z', color: 'bad', hollow: false },
  transition: { path: 'M-5.4 4.6V.4H-1.2V-4.6H5.4V-1.4H2V4.6Z', color: 'ink-2', hollow: false },
  branch: {
    path: 'M-5.6 0L0-2.8L0 2.8Z',
    color: 'anneal',
    hollow: true,
    stroke: 'M-5.6 0H5.6M-1.4 0L4.6 4.6',
  },
  finish: { path: 'M-2-5.5H2V5.5H-2Z', color: 'ink-2', hollow: false },
  hold: { path: 'M0-4.2A4.2 4.2 0 1 1 0 4.2A4.2 4.2 0 1 1 0-4.2Z', color: 'ink', hollow: true },
}

export const holdGlyph = kindGlyphs.hold
/** A switch that is only planned: hollow and empty. */
export const plannedGlyph: Glyph = { ...kindGlyphs.switch, hollow: true }

/** What lies inside a hollow glyph, so that each way of changing nothing looks different. */
const inside: Partial<Readonly<Record<DecisionStatus, Partial<Glyph>>>> = {
  'awaiting-approval': { stroke: 'M-1.7-1.5C-1.7-3.7 1.7-3.7 1.7-1.5C1.7-.2 0-.2 0 1.1M0 2.7V2.9' },
  rejected: { stroke: 'M-2-2L2 2M2-2L-2 2' },
  expired: { isDashed: true, color: 'ink-3' },
  superseded: { isDashed: true, color: 'ink-3', stroke: 'M-1.8 0H1.8' },
  advisory: { stroke: 'M0-2.3V-2.1M0-.4V2.4' },
}

/**
 * A triangle points to where the rate goes. What changed nothing is hollow. A question has its mark inside, a refusal a cross, advice an "i"; what expired has a
 * broken outline, and what gave way to something else a line besides. Applied is filled.
 */
export function glyphOf(decision: Pick<Decision, 'kind' | 'status' | 'phase' | 'reason'>): Glyph {
  const glyph = kindGlyphs[directedKind(decision)]
  if (!isUnapplied(decision)) return glyph
  const { path, color } = glyph
  return { path, color, hollow: true, ...inside[decision.status] }
}

/** Glyphs closer than this merge, in px: their buttons are 24 px wide, and none may lie on another (WCAG 2.5.8). */
export const stackDistancePx = 24.5
/** The same for a finger, whose targets are 44 px wide (style/touch.css). */
export const touchedDistancePx = 44.5
/** A stack of a hundred or more is wider by this for each digit beyond two, in px. */
const digitPx = 9
/** Marker elements on the page at most; beyond it the distance at which they merge grows. */
export const markerCountMax = 200

export type Marker = {
  readonly x: number
  /** In order of number; more than one = a stack. */
  readonly decisions: readonly Decision[]
}

/**
 * Places decisions (holds are left out: they are ticks) at `xOf(step)` px and merges those nearer than
 * `distancePx` to the first of a stack. A stack stands where its first decision stands.
 */
export function placeMarkers(
  decisions: readonly Decision[],
  xOf: (step: number) => number,
  distancePx: number = stackDistancePx,
): Marker[] {
  const ordered = decisions
    .filter((decision) => decision.kind !== 'hold')
    .sort((a, b) => a.step - b.step || a.number - b.number)
  const markers: { x: number; decisions: Decision[] }[] = []
  const roomOf = (count: number) => distancePx + Math.max(0, String(count).length - 2) * digitPx
  for (const decision of ordered) {
    const x = xOf(decision.step)
    const before = markers.at(-1)
    if (before !== undefined && x - before.x < roomOf(before.decisions.length))
      before.decisions.push(decision)
    else markers.push({ x, decisions: [decision] })
  }
  return markers.length > markerCountMax ? placeMarkers(decisions, xOf, distancePx * 2) : markers
}

/** The x positions of hold ticks, one per px at most. */
export function placeTicks(decisions: readonly Decision[], xOf: (step: number) => number): number[] {
  const seen = new Set<number>()
  for (const decision of decisions) if (decision.kind === 'hold') seen.add(Math.round(xOf(decision.step)))
  return [...seen].sort((a, b) => a - b)
}
