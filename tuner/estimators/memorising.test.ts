import { describe, expect, it } from 'vitest'
import { normals, random } from '../testing/random.ts'
import { type MemorisingInput, memorisingOf, memorisingRatio } from './memorising.ts'

const probesNeeded = 4
const blocksNeeded = 8

const blockSteps = 10
type Course = (step: number) => number
type Job = {
  readonly step?: number
  readonly held: Course
  readonly training: Course
  /** Distance of probes as a share of the steps so far. */
  readonly distance?: number
}

/** A run at a constant rate from step 0 on, as the tuner would have folded it. */
function input({ step = 800, held, training, distance = 0.15 }: Job): MemorisingInput {
  const averagedSteps: number[] = []
  for (let at = 20; at <= step; at = Math.ceil(at * (1 + distance))) averagedSteps.push(at)
  const blocks = Array.from({ length: Math.floor(step / blockSteps) }, (_, i) => ({
    step: i * blockSteps,
    mean: training(i * blockSteps + blockSteps / 2),
    count: blockSteps,
  }))
  return {
    step,
    largeFromStep: 0,
    averagedSteps,
    averagedLosses: averagedSteps.map(held),
    blocks,
    blockSteps,
  }
}

/** The same with fewer probes, the last so many. */
const lastProbes = (whole: MemorisingInput, count: number): MemorisingInput => ({
  ...whole,
  averagedLosses: whole.averagedLosses.slice(-count),
  averagedSteps: whole.averagedSteps.slice(-count),
})

const power =
  (exponent: number, level = 1): Course =>
  (step) =>
    level * step ** -exponent

describe('what of the training loss’s fall reaches held-out data', () => {
  it.each([
    [0.2, 0.2, 1],
    [0.12, 0.2, 0.6],
    [0.1, 0.2, 0.5],
    [0, 0.3, 0],
    [-0.1, 0.2, -0.5],
  ])('is the ratio of the exponents: %d over %d is %d', (held, training, ratio) => {
    const found = memorisingOf(input({ held: power(held, 3), training: power(training, 0.5) }))
    // The training loss is read at the middles of blocks.
    expect(found?.ratio).toBeCloseTo(ratio, 9)
    expect(found?.isMemorising).toBe(ratio < memorisingRatio)
  })

  it('is no sign on a level, where training loss has fallen by less than a tenth', () => {
    // (800/267)^−.09 = .906, ^−.1 = .896.
    expect(memorisingOf(input({ held: power(0), training: power(0.09) }))?.isMemorising).toBe(false)
    expect(memorisingOf(input({ held: power(0), training: power(0.1) }))?.isMemorising).toBe(true)
  })

  it('tells both falls over the last two thirds, and where they began', () => {
    const found = memorisingOf(input({ held: power(0.1), training: power(0.3) }))
    expect(found?.fromStep).toBe(267)
    expect(found?.heldOutFall).toBeCloseTo(1 - (800 / 267) ** -0.1, 9)
    expect(found?.trainingFall).toBeCloseTo(1 - (800 / 267) ** -0.3, 9)
  })

  it('begins no earlier than the large phase, nor than the probes that are kept', () => {
    const job = input({ held: power(0.1), training: power(0.2) })
    const raced = {
      ...job,
      largeFromStep: 400,
      blocks: job.blocks.map((block) => (block.step < 400 ? { ...block, mean: 50 } : block)),
    }
    expect(memorisingOf(raced)?.fromStep).toBe(400)
    expect(memorisingOf(raced)?.ratio).toBeCloseTo(0.5, 9)
    const kept = lastProbes(job, 5)
    expect(memorisingOf(kept)?.fromStep).toBe(kept.averagedSteps[0])
    expect(memorisingOf(kept)?.probeCount).toBe(5)
    expect(memorisingOf(kept)?.ratio).toBeCloseTo(0.5, 9)
  })

  it(`needs ${probesNeeded} probes and ${blocksNeeded} blocks in the window`, () => {
    const whole = input({ held: power(0.1), training: power(0.2) })
    expect(memorisingOf(lastProbes(whole, probesNeeded - 1))).toBeUndefined()
    expect(memorisingOf(lastProbes(whole, probesNeeded))).toBeDefined()
    expect(memorisingOf({ ...whole, blocks: whole.blocks.slice(1 - blocksNeeded) })).toBeUndefined()
    expect(memorisingOf({ ...whole, blocks: whole.blocks.slice(-blocksNeeded) })).toBeDefined()
    expect(memorisingOf({ ...whole, averagedLosses: [], averagedSteps: [], blocks: [] })).toBeUndefined()
    expect(memorisingOf({ ...whole, step: 0 })).toBeUndefined()
  })

  it('says nothing where the training loss does not plainly fall, nor of losses that are not positive and finite', () => {
    const falling = power(0.2)
    expect(memorisingOf(input({ held: falling, training: () => 1 }))).toBeUndefined()
    expect(memorisingOf(input({ held: falling, training: power(-0.1) }))).toBeUndefined()
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const once: Course = (step) => (step > 600 ? bad : falling(step))
      expect(memorisingOf(input({ held: once, training: falling }))).toBeUndefined()
      expect(memorisingOf(input({ held: falling, training: once }))).toBeUndefined()
    }
  })
})

/** Share of simulated runs that are called memorising: losses with a floor, batch noise, and weights that wander. */
function memorisingShare({
  reaches,
  wander,
  distance = 0.15,
  runs = 300,
}: {
  readonly reaches: number
  readonly wander: number
  readonly distance?: number
  readonly runs?: number
}): number {
  let count = 0
  for (let seed = 0; seed < runs; seed++) {
    const draw = normals(random(seed))
    const learned = (step: number) => 1 - 2.2 * (Math.max(1, step) / 10) ** -0.35
    const walk: number[] = []
    let place = 0
    for (let block = 0; block <= 80; block++) {
      place = 0.7 * place + Math.sqrt(1 - 0.7 ** 2) * wander * draw()
      walk.push(place)
    }
    const away = (step: number) => walk[Math.floor(step / blockSteps)]!
    const job = input({
      distance,
      // Averaging takes most of the wandering off; what is left stays with the probes.
      held: (step) => 1.3 - reaches * learned(step) + 0.3 * away(step) + 0.1 * wander * draw(),
      training: (step) => 1.3 - learned(step) + Math.abs(away(step)) + 0.05 * draw(),
    })
    if (memorisingOf(job)?.isMemorising === true) count++
  }
  return count / runs
}

describe('the sign on noisy runs', () => {
  it.each([
    [0.02, 0.15],
    [0.05, 0.15],
    [0.02, 0.22],
  ])(
    'is rarely seen where all that is learned reaches held-out data: wandering %d, probes at %d',
    (wander, distance) => {
      expect(memorisingShare({ reaches: 1, wander, distance })).toBeLessThanOrEqual(0.05)
    },
  )

  it.each([0.15, 0.22])('is nearly always seen where a third of it does: probes at %d', (distance) => {
    expect(memorisingShare({ reaches: 0.33, wander: 0.02, distance })).toBeGreaterThan(0.95)
  })
})
