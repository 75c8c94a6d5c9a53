// What a comparison shows, as it stands in the address: `/compare?runs=a,b&x=share&signal=probeLoss&base=a`.

import { idsIn, pickedMax } from './listAddress.ts'

export const compareAxes = ['step', 'share', 'time'] as const
export type CompareAxis = (typeof compareAxes)[number]

export type CompareAddress = {
  readonly page: 'compare'
  readonly runs: readonly string[]
  readonly x: CompareAxis
  readonly signal: string
  /** The run that the others are held against; always one of them, where there is any. */
  readonly base: string | null
  /** Whether the table leaves out what is the same in all. */
  readonly differing: boolean
  readonly log: boolean
}

export const comparing = (runs: readonly string[], base: string | null = null): CompareAddress => ({
  page: 'compare',
  runs,
  x: 'step',
  signal: 'lossSmoothed',
  base: base !== null && runs.includes(base) ? base : (runs[0] ?? null),
  differing: true,
  log: false,
})

export function parseCompareAddress(parameters: URLSearchParams): CompareAddress {
  const runs = idsIn(parameters.get('runs'), pickedMax)
  const signal = parameters.get('signal') ?? ''
  return {
    ...comparing(runs, parameters.get('base')),
    x: compareAxes.find((axis) => axis === parameters.get('x')) ?? 'step',
    ...(signal === '' || signal.length > 200 ? {} : { signal }),
    differing: parameters.get('rows') !== 'all',
    log: parameters.get('y') === 'log',
  }
}

export function compareParameters({
  runs,
  x,
  signal,
  base,
  differing,
  log,
}: CompareAddress): URLSearchParams {
  const parameters = new URLSearchParams()
  if (runs.length > 0) parameters.set('runs', runs.join(','))
  if (x !== 'step') parameters.set('x', x)
  if (signal !== 'lossSmoothed') parameters.set('signal', signal)
  if (base !== null && base !== runs[0]) parameters.set('base', base)
  if (!differing) parameters.set('rows', 'all')
  if (log) parameters.set('y', 'log')
  return parameters
}
