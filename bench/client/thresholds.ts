// What the page promises, in numbers: each check is one figure of one part with its bound, and how a figure is told. Bounds
// were fixed before anything was measured (bench/records/2026-11-29-client).

import { quantile } from 'simple-statistics'
import type { Part } from './options.ts'

export type Check = {
  readonly part: Part
  /** Name of the figure. */
  readonly figure: string
  readonly words: string
  readonly unit: string
  /** 'told' figures have no bound: they are there to be compared with. */
  readonly bound: readonly ['<' | '≤' | '≥', number] | 'told'
}

const timed = (part: Part, figure: string, words: string, msMax: number | null): Check => ({
  part,
  figure,
  words,
  unit: 'ms',
  bound: msMax === null ? 'told' : ['<', msMax],
})
const bounded = (
  part: Part,
  figure: string,
  words: string,
  unit: string,
  bound: Exclude<Check['bound'], 'told'>,
): Check => ({ part, figure, words, unit, bound })
const told = (part: Part, figure: string, words: string, unit: string): Check => ({
  part,
  figure,
  words,
  unit,
  bound: 'told',
})

export const checks: readonly Check[] = [
  timed('first', 'loopbackMsP50', 'first chart with numbers, loopback, median', 500),
  timed('first', 'loopbackMsMax', '… worst', null),
  timed('first', 'slow4gMsP50', 'first chart with numbers, slow 4G, median', 1_500),
  timed('first', 'slow4gMsMax', '… worst', null),
  timed('zoom', 'answerMsP95', 'zoom and pan: something true is drawn, 95 %', 100),
  timed('zoom', 'answerMsP50', '… median', null),
  timed('zoom', 'dataMsP50', 'zoom and pan: the new data are drawn, median', 100),
  timed('zoom', 'dataMsP95', '… 95 %', null),
  bounded('live', 'framesP50', 'live run: frames a second, median', '', ['≥', 55]),
  told('live', 'framesP5', '… all but the worst 5 % of the seconds', ''),
  told('live', 'stepsPerSecond', '… steps a second that came in', ''),
  bounded('live', 'heapGrowthMb', '… growth of the heap after collection, from the first minute', 'MB', [
    '≤',
    5,
  ]),
  bounded('live', 'nodeGrowth', '… growth of DOM nodes', '', ['≤', 200]),
  bounded('live', 'listenerGrowth', '… growth of listeners', '', ['≤', 20]),
  timed('list', 'firstRowMsP50', 'list: first row, median', 400),
  timed('list', 'firstRowMsMax', '… worst', null),
  timed('list', 'searchMsP50', 'list: from a key to its rows, median', 100),
  timed('list', 'searchMsP95', '… 95 %', null),
  bounded('list', 'elements', 'list: elements in the document', '', ['≤', 1_500]),
  told('list', 'nodes', '… with texts', ''),
  bounded('viewers', 'slowdownPercent', '20 viewers: ingest takes longer by, median of rounds', '%', [
    '<',
    5,
  ]),
  told('viewers', 'processorPercent', "… the server's processor time a step, more by", '%'),
  timed('pixel', 'pixelMsP99', 'from post to pixel, 99 %', 300),
  timed('pixel', 'pixelMsP50', '… median', null),
  bounded('bytes', 'seriesKb', 'series of the first picture on the wire', 'kB', ['≤', 40]),
  told('bytes', 'dataKb', '… with summary and all decisions, which follow', 'kB'),
  bounded('bytes', 'listViewKb', "scripts and styles before the list's first row, gzip", 'kB', ['≤', 60]),
  bounded('bytes', 'runViewKb', "… before a run's first chart", 'kB', ['≤', 60]),
  bounded('bytes', 'bundleKb', 'scripts and styles of all views, gzip', 'kB', ['≤', 110]),
]

export type Figures = Readonly<Record<string, number>>

/** Whether a figure is within its bound; a figure that is no number is not. */
export function isMet({ bound }: Check, value: number): boolean {
  if (bound === 'told') return true
  const [relation, limit] = bound
  return relation === '<' ? value < limit : relation === '≤' ? value <= limit : value >= limit
}

const rounded = (value: number): string =>
  value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0)

/** The table of the parts that were measured. */
export function table(measured: ReadonlyMap<Part, Figures>): string {
  const rows = checks.flatMap((check) => {
    const value = measured.get(check.part)?.[check.figure]
    if (value === undefined) return []
    const unit = check.unit === '' ? '' : ` ${check.unit}`
    const bound =
      check.bound === 'told' ? '' : `${check.bound[0]} ${check.bound[1].toLocaleString('en')}${unit}`
    const verdict = check.bound === 'told' ? '' : isMet(check, value) ? 'met' : '**missed**'
    return [`| ${check.part} | ${check.words} | ${rounded(value)}${unit} | ${bound} | ${verdict} |`]
  })
  return ['| part | what | measured | threshold | |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')
}

/** Quantiles of times under one name: `nameMsP50`, `nameMsP95`, `nameMsP99`, `nameMsMax`. */
export function quantilesOf(name: string, times: readonly number[]): Figures {
  const at = (share: number) => quantile([...times], share)
  return {
    [`${name}MsP50`]: at(0.5),
    [`${name}MsP95`]: at(0.95),
    [`${name}MsP99`]: at(0.99),
    [`${name}MsMax`]: at(1),
  }
}
