// The search for the rate as lanes, one a rate that was tried, slowest first: where its loss came out, with the 95 % interval of
// its difference to the rate that the search began from, when it was run, and which one did best by how much. One that
// diverged has no loss, and says when it was left.

import { formatNumber, formatRate, formatStep } from '../../protocol/numbers.ts'
import type { Evidence } from '../../protocol/vocabulary.ts'
import { extremesOf, linearScale, logScale, positionOn, type Scale } from '../charts/scale.ts'
import { formatMeasured, standardErrorsIn95 } from './format.ts'
import '../style/race.css'

export type Lane = {
  readonly rate: string
  readonly fate: 'best' | 'reference' | 'other' | 'diverged' | 'running' | 'left'
  readonly loss: number | null
  /** Half of the 95 % interval of the difference to the reference; null = it is the reference, or there is none. */
  readonly half: number | null
  readonly steps: string
}

const fateWords: Readonly<Record<Lane['fate'], string>> = {
  best: 'did best',
  reference: 'began here',
  other: '',
  diverged: 'diverged',
  running: 'runs now',
  left: 'not ended',
}

/** The search begins with its reference. */
const referenceOf = (arms: readonly Evidence[]): Evidence | undefined =>
  arms.toSorted((a, b) => (a.fromStep ?? 0) - (b.fromStep ?? 0))[0]

/** The arm that the optimum was found around; undefined = none is told. */
function bestOf(arms: readonly Evidence[], optimum: number | null): Evidence | undefined {
  if (optimum === null || !(optimum > 0)) return undefined
  const distance = ({ learningRate = 0 }: Evidence) => Math.abs(Math.log(learningRate / optimum))
  return arms.filter(({ value }) => value !== null).toSorted((a, b) => distance(a) - distance(b))[0]
}

/** @param isNow the search still goes on: an arm without an end runs. */
export function lanesOf(arms: readonly Evidence[], optimum: number | null, isNow: boolean): Lane[] {
  const [reference, best] = [referenceOf(arms), bestOf(arms, optimum)]
  const fateOf = (arm: Evidence): Lane['fate'] => {
    if (arm.source === 'race-diverged') return 'diverged'
    if (arm.value === null) return isNow ? 'running' : 'left'
    return arm === best ? 'best' : arm === reference ? 'reference' : 'other'
  }
  return arms.map((arm) => {
    const fate = fateOf(arm)
    return {
      rate: formatRate(arm.learningRate ?? 0),
      fate,
      loss: arm.value,
      half: arm.standardError === null ? null : standardErrorsIn95 * arm.standardError,
      steps: stepsWords(arm, fate),
    }
  })
}

function stepsWords({ fromStep, toStep }: Evidence, fate: Lane['fate']): string {
  if (fromStep === undefined) return ''
  if (toStep === undefined) return `since step ${formatStep(fromStep)}`
  if (fate === 'diverged') return `left at step ${formatStep(toStep)}`
  return `steps ${formatStep(fromStep)} to ${formatStep(toStep)}`
}

/** Who did best, and by how much. */
export function raceSentence(arms: readonly Evidence[], optimum: number | null, isNow: boolean): string {
  if (isNow) return 'Each rate is tried from the same weights; the loss at its end is compared.'
  const [reference, best] = [referenceOf(arms), bestOf(arms, optimum)]
  if (best === undefined)
    return arms.every(({ source }) => source === 'race-diverged')
      ? 'Every rate diverged.'
      : 'The search was ended before it had an answer.'
  const rate = formatRate(best.learningRate ?? 0)
  if (best === reference) return `${rate}, where the search began, did best.`
  if (reference?.value == null || best.value === null) return `${rate} did best.`
  const { value, plusMinus } = formatMeasured(Math.abs(reference.value - best.value), best.standardError)
  const than = best.value <= reference.value ? 'below' : 'above'
  return `${rate} did best: ${value}${plusMinus === null ? '' : ` ± ${plusMinus}`} ${than} ${formatRate(reference.learningRate ?? 0)}, where the search began.`
}

/** Losses that lie far apart are drawn by their logarithm. */
const logRatio = 4
const tickCount = 4

export function scaleOf(lanes: readonly Lane[]): Scale | null {
  const ends = lanes.flatMap(({ loss, half }) =>
    loss === null ? [] : [loss - (half ?? 0), loss + (half ?? 0)],
  )
  const range = extremesOf(ends)
  if (range === null) return null
  const [low, high] = range
  return low > 0 && high / low > logRatio ? logScale(low, high, tickCount) : linearScale(low, high, tickCount)
}

export function RaceLanes(props: { arms: readonly Evidence[]; optimum: number | null; isNow: boolean }) {
  const { arms, optimum, isNow } = props
  const lanes = lanesOf(arms, optimum, isNow)
  const scale = scaleOf(lanes)
  const zero = referenceOf(arms)?.value ?? null
  return (
    <section class="part">
      <h3>{isNow ? 'Rates tried so far' : 'Rates that were tried'}</h3>
      <p class="why">{raceSentence(arms, optimum, isNow)}</p>
      <ul class="lanes">
        {lanes.map((lane) => (
          <li key={lane.rate} class={`lane lane-${lane.fate}`}>
            <span>
              <b>{lane.rate}</b>
              <small>{lane.steps}</small>
            </span>
            <Track lane={lane} scale={scale} reference={zero} />
            <span>
              <b>{lane.loss === null ? '' : formatNumber(lane.loss)}</b>
              <small>{fateWords[lane.fate]}</small>
            </span>
          </li>
        ))}
        {scale !== null && (
          <li class="lane lane-axis" aria-hidden="true">
            <span>rate</span>
            <svg width="100%" height="14" aria-hidden="true">
              {scale.ticks.map(({ value, label }) => (
                <text key={value} x={percentOf(scale, value)} y="11">
                  {label}
                </text>
              ))}
            </svg>
            <span>loss</span>
          </li>
        )}
      </ul>
    </section>
  )
}

/** A little room on both sides, so that dots and labels are whole. */
const percentOf = (scale: Scale, value: number): string => `${5 + 90 * (positionOn(scale, value) ?? 0)}%`

function Track(props: { lane: Lane; scale: Scale | null; reference: number | null }) {
  const { lane, scale, reference } = props
  const { loss, half } = lane
  return (
    <svg class="track" width="100%" height="30" aria-hidden="true">
      <line class="ground" x1="0" x2="100%" y1="15" y2="15" />
      {scale !== null && reference !== null && (
        <line
          class="reference"
          x1={percentOf(scale, reference)}
          x2={percentOf(scale, reference)}
          y1="0"
          y2="30"
        />
      )}
      {scale !== null && loss !== null && half !== null && (
        <line
          class="interval"
          x1={percentOf(scale, loss - half)}
          x2={percentOf(scale, loss + half)}
          y1="15"
          y2="15"
        />
      )}
      {scale !== null && loss !== null && <circle cx={percentOf(scale, loss)} cy="15" r="4.5" />}
      {lane.fate === 'diverged' && (
        <svg x="95%" y="15" width="1" height="1" overflow="visible" aria-hidden="true">
          <path d="M-4-4L4 4M4-4L-4 4" />
        </svg>
      )}
    </svg>
  )
}
