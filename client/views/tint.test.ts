// Which words of a sentence are tinted.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tintSentence } from './tint.ts'

const tinted = (text: string) =>
  tintSentence(text)
    .filter(({ tint }) => tint !== 'plain')
    .map(({ text: piece, tint }) => [piece, tint])

test('blue stays, orange anneals, numbers are bold', () => {
  expect(
    tinted(
      'Large step at 0.10, step 3,120 of 6,000: staying still gains more than annealing (0.021 vs 0.013).',
    ),
  ).toEqual([
    ['Large step', 'large'],
    ['0.10', 'number'],
    ['3,120', 'number'],
    ['6,000', 'number'],
    ['staying still', 'large'],
    ['annealing', 'anneal'],
    ['0.021', 'number'],
    ['0.013', 'number'],
  ])
  expect(tinted('Annealing since step 3,780.')).toEqual([
    ['Annealing', 'anneal'],
    ['3,780', 'number'],
  ])
})

test('percentages and small rates are one number', () => {
  expect(tinted('0.6 % chance, rate 1e-5 or -1.1e-5.')).toEqual([
    ['0.6 %', 'number'],
    ['1e-5', 'number'],
    ['-1.1e-5', 'number'],
  ])
})

test('digits inside names and versions are left alone', () => {
  expect(tinted('tensorflow.js 4.22.0, torch 2.5.1+cu121')).toEqual([])
  expect(tinted('run fashion-cnn-3a of mnist2x')).toEqual([])
})

test('the pieces joined are the sentence again, whatever it holds', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d,. %a-z<>&-]*$/)), (text) => {
      expect(
        tintSentence(text)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text)
    }),
  )
})
