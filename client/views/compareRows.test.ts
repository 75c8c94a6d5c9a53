import { expect, test } from 'vitest'
import { syntheticRun } from '../gallery/syntheticRun.ts'
import { compareTable } from './compareRows.ts'

const base = syntheticRun({ id: 'a', step: 100, budgetSteps: 200 }).run
const heldOut = { loss: 0.4, lossBest: 0.3, accuracy: 0.9, accuracyBest: 0.91 }
const a = { ...base, loss: 0.25, heldOut, options: { ...base.options, settings: { lr: 0.1, wide: true } } }
const b = {
  ...base,
  loss: 0.2,
  heldOut: { ...heldOut, accuracyBest: 0.95 },
  budgetSteps: null,
  options: { ...base.options, settings: { lr: 0.2, note: null } },
}
const row = (title: string) => {
  const { settings, results } = compareTable([a, b])
  return [...settings, ...results].find((one) => one.title === title)
}

test('a row says what each run has, whether they differ, and which is better', () => {
  expect(row('Training loss')).toEqual({
    ...{ title: 'Training loss', cells: ['0.25', '0.2'] },
    ...{ differs: true, best: [false, true] },
  })
  expect(row('Held-out accuracy, best')).toMatchObject({ cells: ['91 %', '95 %'], best: [false, true] })
  expect(row('Held-out loss, best')).toMatchObject({ differs: false, best: [false, false] })
  expect(row('Budget')).toMatchObject({ cells: ['200', 'none'], differs: true })
})

test("the jobs' own settings are compared by name, and what one does not tell is said", () => {
  expect(row('lr')).toMatchObject({ cells: ['0.1', '0.2'], differs: true, best: [false, false] })
  expect(row('wide')).toMatchObject({ cells: ['yes', 'not told'] })
  expect(row('note')).toMatchObject({ cells: ['not told', 'null'] })
})

test('what was not measured is words, and never best', () => {
  const { results } = compareTable([{ ...a, loss: null }, b])
  expect(results.find(({ title }) => title === 'Training loss')).toMatchObject({
    cells: ['not measured', '0.2'],
    best: [false, false],
  })
})
