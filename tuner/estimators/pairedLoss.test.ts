import { describe, expect, it } from 'vitest'
import { normals, random } from '../testing/random.ts'
import {
  deviationsBetter,
  exampleDifference,
  pairedDifference,
  raceChaosExamples,
  raceErrorWithoutParts,
  type Score,
} from './pairedLoss.ts'

/** Parts around a loss that all scores share, and a scatter of their own. */
const scored = (loss: number, scatter = 0.001, examples = 512): Score => {
  const offsets = Array.from({ length: 16 }, (_, i) => (i - 7.5) / 10)
  return {
    loss,
    parts: offsets.map((offset, i) => loss + offset + scatter * Math.sin(97 * i * loss)),
    examples,
  }
}
const varianceOf = (a: Score, b: Score): number => {
  const differences = a.parts.map((loss, i) => loss - b.parts[i]!)
  const mean = differences.reduce((sum, value) => sum + value / 16, 0)
  return differences.reduce((sum, value) => sum + (value - mean) ** 2 / 15, 0) / 16
}

describe('a difference between two arms', () => {
  it('is judged by the scatter of the parts’ differences, whatever the parts have in common', () => {
    const [a, b] = [scored(1, 0.01), scored(1.1, 0.01)]
    const { difference, standardError } = pairedDifference(a, b)
    expect(Math.abs(difference + 0.1)).toBeLessThan(0.02)
    expect(standardError).toBeCloseTo(Math.sqrt(varianceOf(a, b) * (1 + 512 / raceChaosExamples)), 12)
    expect(deviationsBetter(a, b)).toBeCloseTo(-difference / standardError, 12)
    expect(deviationsBetter(b, a)).toBeLessThan(0)
  })

  it('counts the chaos of two runs in full, however many the examples are, and twice over different batches', () => {
    const error = (examples: number, hasSameBatches = true) =>
      pairedDifference(scored(1, 0.01, examples), scored(1.1, 0.01, examples), hasSameBatches).standardError
    const doubt = (examples: number) => examples / raceChaosExamples
    expect(error(4_096) / error(512)).toBeCloseTo(Math.sqrt((1 + doubt(4_096)) / (1 + doubt(512))), 10)
    expect(error(512, false) / error(512)).toBeCloseTo(Math.sqrt((1 + 2 * doubt(512)) / (1 + doubt(512))), 10)
  })

  it('between two given networks has the examples as its only doubt', () => {
    const [a, b] = [scored(1, 0.01), scored(1.1, 0.01)]
    expect(exampleDifference(a, b).standardError).toBeCloseTo(Math.sqrt(varianceOf(a, b)), 12)
  })

  it.each([
    ['no parts', []],
    ['three parts', [1, 2, 3]],
    ['another number of parts', Array.from({ length: 8 }, () => 1)],
    ['a part that is not finite', [...Array.from({ length: 15 }, () => 1), Number.NaN]],
  ])('has the deviation of one example over the root of their number as its error with %s', (_, parts) => {
    const deviation = 0.5
    const a: Score = { loss: 1, parts, examples: 200, deviation }
    const { difference, standardError } = exampleDifference(a, { ...scored(1.1), examples: 400 })
    expect(difference).toBeCloseTo(-0.1, 12)
    expect(standardError).toBeCloseTo(deviation * Math.sqrt(2 / 200), 12)
    const chaotic = pairedDifference(a, { ...scored(1.1), examples: 400 }).standardError
    expect(chaotic / standardError).toBeCloseTo(Math.sqrt(1 + 200 / raceChaosExamples), 12)
  })

  it('has a stated share of the loss as its error where nothing tells the scatter', () => {
    const { standardError } = exampleDifference({ loss: 1, parts: [], examples: 9 }, scored(1.1))
    expect(standardError).toBeCloseTo(1.1 * raceErrorWithoutParts, 12)
  })

  it('of equal parts is no infinite evidence', () => {
    const flat = (loss: number) => ({ loss, parts: Array<number>(16).fill(loss), examples: 16 })
    expect(deviationsBetter(flat(1), flat(1))).toBeCloseTo(0, 12)
    expect(Number.isFinite(deviationsBetter(flat(1), flat(2)))).toBe(true)
    expect(Number.isFinite(deviationsBetter(flat(0), flat(0)))).toBe(true)
  })

  it('keeps its promise: of pairs that differ by batches and examples alone few seem clearly different', () => {
    const draw = normals(random(20_261_124))
    const score = (offsets: readonly number[], chaos: number): Score => {
      const parts = offsets.map((offset) => 1 + offset + chaos + 0.02 * draw())
      return { loss: parts.reduce((sum, part) => sum + part / 16, 0), parts, examples: 512 }
    }
    let clear = 0
    for (let i = 0; i < 2_000; i++) {
      const offsets = Array.from({ length: 16 }, () => 0.3 * draw())
      // As in the record: the runs' own scatter is as large as the error of their paired difference.
      const chaos = 0.02 / Math.sqrt(16)
      if (Math.abs(deviationsBetter(score(offsets, chaos * draw()), score(offsets, chaos * draw()))) > 2)
        clear++
    }
    expect(clear / 2_000).toBeLessThan(0.08)
    expect(clear / 2_000).toBeGreaterThan(0.02)
  })
})
