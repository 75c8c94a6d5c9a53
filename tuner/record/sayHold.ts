// The sentences of holds: why it is not yet time.

import { formatPercent, formatPlural } from '../../protocol/numbers.ts'
import type { Decision, Reason } from '../../protocol/vocabulary.ts'
import { capital, number, pair, rate, step, type Values } from './sayParts.ts'

/** Why it is not yet time. */
export const holds: Readonly<Record<string, (values: Values) => string>> = {
  'by-hand': (v) => `the rate is set by hand until step ${step(v, 'untilStep')}`,
  blind: (v) =>
    `nothing that is reported says what annealing would gain${v.fallback == null ? '' : `, so the fallback plan anneals from step ${step(v, 'fallback')} on`}`,
  'few-probes': (v) => `not enough evidence yet (${step(v, 'count')} of ${step(v, 'needed')} probes)`,
  'no-gain': () => 'no gain of annealing is measured: neither averaged weights nor gradient noise show one',
  'too-early': (v) =>
    `annealing gains as much, but before step ${step(v, 'earliest')} a switch has not been shown to pay`,
  hits: (v) => `annealing gains as much at ${step(v, 'met')} of ${step(v, 'needed')} probes needed`,
  'staying-gains': (v) =>
    `${v.probability == null ? '' : `${formatPercent(v.probability)} chance that annealing already gains as much; `}the two meet at about step ${step(v, 'earliestStep')}`,
  asked: (v) => `decision ${step(v, 'number')} awaits approval until step ${step(v, 'expiresAtStep')}`,
  refused: (v) => `annealing was refused by hand, and is asked for again from step ${step(v, 'fromStep')} on`,
  'still-worth': (v) =>
    `as many steps again would take off ${number(v, 'gain')} ± ${number(v, 'error')}, and are worth it down to ${number(v, 'worth')}`,
  'enough-hits': (v) =>
    `going on is worth it no more at ${step(v, 'met')} of ${step(v, 'needed')} probes needed`,
  'probes-too-dear': (v) =>
    `a probe takes as long as ${formatPlural(Math.round(v.stepsEach ?? 0), 'step')}, so only ${step(v, 'probes')} of the ${step(v, 'needed')} that the rule needs fit into their share of the time: unless they get faster, the fallback plan anneals from step ${step(v, 'fallback')} on`,
}

export function sayWhyNotYet({ key, values }: Reason): string | undefined {
  const said = holds[key]
  return said === undefined ? undefined : `${capital(said(values))}.`
}

export function sayHold({ reason, mode }: Pick<Decision, 'reason' | 'mode'>): string {
  const { key, values } = reason
  const why = holds[key]!(values)
  if (key === 'by-hand') return `Would hold ${rate(values)} if it were not set by hand: ${why}.`
  const start = mode === 'advisory' ? 'Advice: hold' : 'Holding'
  const large = `${start} the large step at ${rate(values)}`
  return key === 'staying-gains'
    ? `${large}: staying still gains more than annealing${pair(values)}.`
    : `${large}: ${why}.`
}
