// Parts of a probe's examples: they cover every example once, also where the examples do not divide evenly.

import { beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backends/openBackend.ts'
import { partsMatrix } from './evaluate.ts'

beforeAll(async () => {
  await openBackend('wasm')
})

describe('the parts of a probe', () => {
  it.each([
    [512, 16, [32]],
    [50, 16, [3, 4]],
    [16, 16, [1]],
    [5, 5, [1]],
    [1, 1, [1]],
  ] as const)('of %i examples are %i, of %j examples each', (examples, parts, sizes) => {
    const matrix = partsMatrix(examples)
    expect(matrix.shape).toEqual([parts, examples])
    const rows = matrix.arraySync()
    const members = rows.map((row) => row.flatMap((weight, index) => (weight > 0 ? [index] : [])))
    expect(members.flat()).toEqual(Array.from({ length: examples }, (_, index) => index))
    expect([...new Set(members.map(({ length }) => length))].sort()).toEqual(sizes)
    for (const row of rows) expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6)
    matrix.dispose()
  })
})
