import { describe, expect, it } from 'vitest'
import { createModel } from './models.ts'

const shape = { height: 7, width: 7, classCount: 4 }
const shapes = (name: 'mlp' | 'cnn', widths?: readonly number[]) =>
  createModel(name, widths ? { ...shape, widths } : shape).weightInfos.map((info) => info.shape.join('×'))

describe('the widths of a model', () => {
  it('are hidden layers of an MLP', () => {
    expect(shapes('mlp')).toEqual(['49×64', '64', '64×32', '32', '32×4', '4'])
    expect(shapes('mlp', [5])).toEqual(['49×5', '5', '5×4', '4'])
    expect(shapes('mlp', [9, 8, 7])).toEqual(['49×9', '9', '9×8', '8', '8×7', '7', '7×4', '4'])
  })
  it('are filter counts of a CNN, and its dense layer follows', () => {
    expect(shapes('cnn')).toEqual(['3×3×1×16', '16', '3×3×16×32', '32', '128×4', '4'])
    expect(shapes('cnn', [2, 3])).toEqual(['3×3×1×2', '2', '3×3×2×3', '3', '12×4', '4'])
  })
  it.each([
    ['mlp', [], 'widths must be 1 to 4 whole numbers from 1 to 4096 for the mlp, got none'],
    ['mlp', [1, 2, 3, 4, 5], 'got 1,2,3,4,5'],
    ['mlp', [2.5], 'got 2.5'],
    ['mlp', [Number.NaN], 'got NaN'],
    ['cnn', [8], 'widths must be 2 whole numbers from 1 to 4096 for the cnn, got 8'],
    ['cnn', [8, 5_000], 'got 8,5000'],
  ] as const)('%s %j is refused', (name, widths, sentence) => {
    expect(() => createModel(name, { ...shape, widths })).toThrow(sentence)
  })
})
