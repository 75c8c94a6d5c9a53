import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backends/openBackend.ts'
import { createModel } from '../models/models.ts'
import { createOptimizer } from '../optimizers/optimizers.ts'
import { smallText } from '../testing/smallText.ts'
import { createTrainer } from '../trainer.ts'
import { createBatchMaker, disposeBatch } from './batches.ts'
import { DataError, type Examples } from './dataset.ts'
import { characterClasses, characterCount, contextLength, loadText, ownText } from './text.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-text-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Writes files and loads them; each is long enough for 20 of them to be a text. */
function loaded(name: string, textOf: (index: number) => string) {
  const home = join(folder, name)
  mkdirSync(join(home, 'ops'), { recursive: true })
  for (let index = 0; index < 20; index++) {
    const file = `${String.fromCharCode(97 + index)}.js`
    writeFileSync(join(home, index < 10 ? file : join('ops', file)), textOf(index))
  }
  for (const file of ['z_test.js', 'tf-core.min.js', 'tests.js', 'a.d.ts', 'a.js.map'])
    writeFileSync(join(home, file), '#'.repeat(50_000))
  return loadText(home)
}

/** What the examples say, with classes as characters of the alphabet in order of frequency. */
const seen = ({ inputs, labels }: Examples) => new Set([...inputs, ...labels])

describe('the text', () => {
  it('is that of the installed package, the same each time, in three parts', () => {
    const text = loadText()
    expect(text.train.count).toBeGreaterThan(500_000)
    expect([text.heldOut.count, text.test.count]).toEqual([2_000, 10_000])
    expect([text.height, text.width, text.classCount]).toEqual([
      contextLength,
      characterCount,
      characterCount,
    ])
    expect(seen(text.test).has(characterCount - 1)).toBe(true)
    expect(Math.max(...seen(text.test))).toBe(characterCount - 1)
    // Code is a fifth spaces, and what is not among the common characters is rare.
    const share = (examples: Examples, label: number) =>
      examples.labels.filter((other) => other === label).length / examples.count
    expect(share(text.train, 0)).toBeGreaterThan(0.15)
    expect(share(text.train, characterCount - 1)).toBeLessThan(0.005)
    expect(Math.abs(share(text.test, 0) - share(text.train, 0))).toBeLessThan(0.03)
    expect(loadText().heldOut).toEqual(text.heldOut)
  })
  it('keeps its training examples in the order of the text, each with the character that follows', () => {
    const { inputs, labels } = loaded('order', (index) => 'abcdefghij '.repeat(1_200 + index)).train
    for (let example = 0; example < 50; example++) {
      const next = (example + 1) * contextLength
      expect(inputs[next + contextLength - 1]).toBe(labels[example])
      expect(inputs[next]).toBe(inputs[example * contextLength + 1])
    }
  })
  it('holds out whole files: nothing of them is in another part', () => {
    // Each part has a letter of its own beside the common "o". What is not in the training files at all has a place
    // behind what is.
    const letter = (index: number) => (index % 10 === 9 ? 't' : index % 20 === 4 ? 'h' : 'r')
    const { train, heldOut, test } = loaded('parts', (index) => `o${letter(index)}`.repeat(12_000))
    const others = (examples: Examples) => [...seen(examples)].filter((name) => name > 1)
    expect(others(train)).toEqual([])
    expect(others(heldOut)).toHaveLength(1)
    expect(others(test)).toHaveLength(1)
    expect(seen(heldOut).size + seen(test).size).toBe(4)
  })
  it('leaves out licence headers and source maps', () => {
    expect(
      ownText(
        '/**\n * @license\n * Copyright\n */\nlet a\n/** Doc. */\nlet b\n//# sourceMappingURL=data:x\n',
      ),
    ).toBe('let a\n/** Doc. */\nlet b\n')
    expect(ownText('let c')).toBe('let c')
  })
  it('tells the most common characters apart, the smaller byte first where two are as common', () => {
    const classes = characterClasses(Buffer.from('zzzbbcca'), 4)
    expect(['z', 'b', 'c', 'a', 'q'].map((letter) => classes[letter.charCodeAt(0)])).toEqual([0, 1, 2, 3, 3])
  })
  it('that is missing or too short says what to do', () => {
    expect(() => loadText(join(folder, 'nothing'))).toThrow(DataError)
    expect(() => loadText(join(folder, 'nothing'))).toThrow(/nothing cannot be read .* "npm ci"/)
    expect(() => loaded('short', () => 'abc')).toThrow(
      /short must hold at least 200000 characters of JavaScript, got 60; reinstall/,
    )
  })
})

describe('characters as inputs', () => {
  beforeAll(async () => {
    await openBackend('wasm')
  })
  it('are one-hot, place after place', () => {
    const dataset = smallText()
    const batch = createBatchMaker(dataset)(dataset.train, [3])
    const { height, width, train } = dataset
    const expected = [...train.inputs.subarray(3 * height, 4 * height)].flatMap((character) =>
      Array.from({ length: width }, (_, index) => (index === character ? 1 : 0)),
    )
    expect([...batch.inputs.dataSync()]).toEqual(expected)
    disposeBatch(batch)
  })
  it('are learnt', async () => {
    const dataset = smallText()
    const trainer = createTrainer({
      backend: (await openBackend('wasm')).backend,
      dataset,
      model: createModel('mlp', { ...dataset, widths: [32] }),
      optimizer: createOptimizer('adam'),
      batchSize: 32,
      seed: 1,
    })
    for (let step = 0; step < 200; step++) trainer.step({ learningRate: 0.02, momentum: 0.9 })
    const { loss } = await trainer.evaluateHeldOut()
    // Blind guessing costs ln 6 = 1.79; the rule with its 10 % of noise .43.
    expect(loss).toBeLessThan(1.2)
    trainer.dispose()
    expect(tf.memory().numTensors).toBe(0)
  })
  it('are no image', () => {
    expect(() => createModel('cnn', smallText())).toThrow(
      'model must be mlp for a task of characters, got cnn',
    )
  })
})
