// The text task: the next character from the 12 before it. The text is the JavaScript of @tensorflow/tfjs-core
// (Apache-2.0), which is installed wherever the trainer runs and whose version the lockfile pins: some 0.9 MB
// of code and comments once licence headers, source maps, tests and bundles are left out. Whole files are held
// out, every 20th, and kept for the test, every 10th, so that no example's neighbours are in another part.
// Figures measured on it compare with nothing but themselves.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom, permutation } from '../random.ts'
import { DataError, type Dataset, type Examples, heldOutCount } from './dataset.ts'
import { packageFolder } from './packages.ts'

/** Characters that an example holds, before the one to be told. */
export const contextLength = 12
/** The characters told apart: the most common ones, and one class for all others (.2 % of the text). */
export const characterCount = 80
export const textTestCount = 10_000
/** A package that holds less text than this is broken. */
const textBytesMin = 200_000
const orderSeed = 20_220_912

/** Tests, bundles of what the other files hold, and copies for other platforms. */
const isLeftOut = (file: string): boolean =>
  !file.endsWith('.js') ||
  /(^|\/)(tf-core[^/]*|miniprogram\/.*|tests|jasmine_util|[^/]*_test)(\.js)?$/.test(file)

/** A file's own text: without the licence at its head, which is the same everywhere, and the source map at its end. */
export const ownText = (text: string): string =>
  text.replace(/^\/\*\*\s*\* @license[\s\S]*?\*\/\s*/gm, '').replace(/^\/\/# sourceMappingURL=.*\n?/gm, '')

function readFiles(folder: string): string[] {
  try {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => !isLeftOut(file))
      .sort()
    return files.map((file) => ownText(readFileSync(join(folder, file), 'latin1')))
  } catch (cause) {
    throw new DataError(
      `${folder} cannot be read (${(cause as Error).message}); reinstall the text's package with "npm ci"`,
    )
  }
}

/** The class of each byte: the `count − 1` most common ones by how often they come, then all others. */
export function characterClasses(text: Uint8Array, count: number): Uint8Array {
  const times = new Array<number>(256).fill(0)
  for (const byte of text) times[byte]!++
  const byFrequency = times.map((_, byte) => byte).sort((a, b) => times[b]! - times[a]! || a - b)
  const classes = new Uint8Array(256).fill(count - 1)
  byFrequency.slice(0, count - 1).forEach((byte, index) => {
    classes[byte] = index
  })
  return classes
}

/** Examples that end before the given positions of a text of classes. */
function examplesAt(classes: Uint8Array, positions: ArrayLike<number>): Examples {
  const count = positions.length
  const inputs = new Uint8Array(count * contextLength)
  const labels = new Uint8Array(count)
  for (let example = 0; example < count; example++) {
    const position = positions[example]!
    inputs.set(classes.subarray(position - contextLength, position), example * contextLength)
    labels[example] = classes[position]!
  }
  return { count, inputs, labels }
}

/** Evenly spread over the text, in a fixed shuffled order: the first so many are spread over it as well. */
function spreadExamples(classes: Uint8Array, count: number): Examples {
  const order = permutation(count, createRandom(orderSeed))
  const room = classes.length - contextLength
  return examplesAt(
    classes,
    order.map((index) => contextLength + Math.floor((index * room) / count)),
  )
}

/** One example for each character of the training files, 2,000 held-out and 10,000 test examples. @throws DataError. */
export function loadText(folder: string = join(packageFolder('@tensorflow/tfjs-core'), 'dist')): Dataset {
  const files = readFiles(folder)
  const partOf = (index: number) => (index % 10 === 9 ? 'test' : index % 20 === 4 ? 'heldOut' : 'train')
  const textOf = (part: string) =>
    Buffer.from(files.filter((_, index) => partOf(index) === part).join(''), 'latin1')
  const [train, heldOut, test] = ['train', 'heldOut', 'test'].map(textOf) as [Buffer, Buffer, Buffer]
  const bytes = train.length + heldOut.length + test.length
  if (bytes < textBytesMin || heldOut.length < 2 * heldOutCount || test.length < 2 * textTestCount)
    throw new DataError(
      `${folder} must hold at least ${textBytesMin} characters of JavaScript, got ${bytes}; reinstall the text's package with "npm ci"`,
    )
  const classOf = characterClasses(train, characterCount)
  const classesOf = (text: Uint8Array) => text.map((byte) => classOf[byte]!)
  const everywhere = Uint32Array.from(
    { length: train.length - contextLength },
    (_, index) => contextLength + index,
  )
  return {
    name: 'text',
    height: contextLength,
    width: characterCount,
    classCount: characterCount,
    encoding: { kind: 'oneHot' },
    train: examplesAt(classesOf(train), everywhere),
    heldOut: spreadExamples(classesOf(heldOut), heldOutCount),
    test: spreadExamples(classesOf(test), textTestCount),
  }
}
