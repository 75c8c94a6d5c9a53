// The two sides of a decision's test as bars with their 95 %, named by the test's key, and how often the rule was met.
// Blue and orange mean staying still and annealing, so only the test that weighs these two has them.

import type { DecisionTest } from '../../protocol/vocabulary.ts'
import { EvidenceBar } from '../charts/smallPictures.tsx'
import { formatChance, formatMeasured, standardErrorsIn95 } from './format.ts'
import { ruleWords, testWords } from './words.ts'

/** More readings than this are not drawn as squares. */
const squaresMax = 12

type Side = DecisionTest['left']

/** The ends of both bars: 0 and the outermost end of a 95 % interval on either side of it. */
export function rangeOf(sides: readonly Side[]): { readonly least: number; readonly most: number } {
  const ends = sides.flatMap(({ value, standardError }) => {
    const half = standardErrorsIn95 * (standardError ?? 0)
    return [value - half, value + half]
  })
  const values = sides.map(({ value }) => value)
  // An interval may reach below 0 where its value does not: then the bar starts at 0 all the same.
  const least = Math.min(...values) < 0 ? Math.min(...ends) * 1.06 : 0
  return { least, most: Math.max(...ends, least === 0 ? Number.MIN_VALUE : 0) * 1.06 }
}

/** What each side is called, how it is written, and its colour. */
export function sidesOf({ key, left, right }: DecisionTest) {
  const { areCourses, ...names } = testWords(key)
  const words = (side: Side) => formatMeasured(side.value, side.standardError)
  return [
    { side: left, name: names.left, words: words(left), color: areCourses ? 'large' : 'ink-2' },
    { side: right, name: names.right, words: words(right), color: areCourses ? 'anneal' : 'ink-3' },
  ] as const
}

export function TestBars(props: { test: DecisionTest }) {
  const { key, left, right, hits, probability } = props.test
  const range = rangeOf([left, right])
  return (
    <div class="test">
      {sidesOf(props.test).map(({ side, name, words, color }) => (
        <div key={color} class="side-of-test">
          <span>{name}</span>
          <span class="measured">
            <b>{words.value}</b>
            {words.plusMinus !== null && ` ± ${words.plusMinus}`}
          </span>
          <EvidenceBar {...side} {...range} color={color} />
        </div>
      ))}
      <p class="rule">
        {hits.of > 1 && hits.of <= squaresMax && (
          <span class={`squares ${testWords(key).areCourses ? 'squares-courses' : ''}`} aria-hidden="true">
            {Array.from({ length: hits.of }, (_, i) => (
              <i key={i} class={i >= hits.of - hits.met ? 'met' : ''} />
            ))}
          </span>
        )}
        {ruleWords(props.test)}
      </p>
      {probability !== null && (
        <p class="chance">Chance that the rule holds here: {formatChance(probability)}.</p>
      )}
    </div>
  )
}
