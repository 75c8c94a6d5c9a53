import { expect, test } from 'vitest'
import type { PhaseSpan, SignalName, SignalReading } from '../../protocol/vocabulary.ts'
import { heldOutAfter } from './heldOut.ts'

const reading = (signal: SignalName, step: number, value: number): SignalReading => ({
  signal,
  step,
  value,
  standardError: null,
})
const phases: PhaseSpan[] = [
  { phase: 'warmup', fromStep: 0, toStep: 100 },
  { phase: 'large', fromStep: 100, toStep: null },
]

test('a probe counts by the better of present and averaged weights, and the best stays', () => {
  const first = heldOutAfter(
    undefined,
    [reading('probeLoss', 120, 0.5), reading('averagedLoss', 120, 0.4), reading('probeAccuracy', 120, 0.8)],
    () => phases,
  )
  expect(first).toEqual({ loss: 0.4, lossBest: 0.4, accuracy: 0.8, accuracyBest: 0.8 })
  const second = heldOutAfter(
    first,
    [
      reading('probeLoss', 140, 0.6),
      reading('probeAccuracy', 140, 0.7),
      reading('averagedAccuracy', 140, 0.75),
    ],
    () => phases,
  )
  expect(second).toEqual({ loss: 0.6, lossBest: 0.4, accuracy: 0.75, accuracyBest: 0.8 })
})

test('probes of the search, losses that are not finite and other readings change nothing', () => {
  const before = { loss: 1, lossBest: 1, accuracy: null, accuracyBest: null }
  const others = [
    reading('probeLoss', 50, 0.1),
    reading('probeLoss', 120, Number.NaN),
    reading('noiseScale', 130, 0),
  ]
  expect(heldOutAfter(before, others, () => phases)).toEqual(before)
  expect(heldOutAfter(undefined, others, () => phases)).toBeUndefined()
  const untouched = () => {
    throw new Error('asked without a probe')
  }
  expect(heldOutAfter(before, [reading('noiseScale', 130, 0)], untouched)).toBe(before)
})

test('in pieces it is the same as at once', () => {
  const all = [120, 130, 140].map((step, i) => reading('probeLoss', step, [0.5, 0.3, 0.4][i]!))
  const inPieces = all.reduce(
    (before, one) => heldOutAfter(before, [one], () => phases),
    undefined as ReturnType<typeof heldOutAfter>,
  )
  expect(inPieces).toEqual(heldOutAfter(undefined, all, () => phases))
  expect(inPieces).toMatchObject({ loss: 0.4, lossBest: 0.3 })
})
