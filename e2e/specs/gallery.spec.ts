// The gallery's scenes, which are drawn by the page's own functions from sample values: all of them stand without a complaint
// and fit a phone, and those in which most can go wrong look as they did (e2e/pictures/). A change that is meant is taken over
// by `npm run pictures`; look at each picture before it is committed.
//
// Pictures are compared in the browser that the package carries and in the font that it brings, both pinned by
// package-lock.json, with that font's letters drawn without hints whatever the machine prefers: so another machine's fonts
// change nothing. In any other browser these tests are skipped. Scenes with signs that the font lacks (arrows) are not taken,
// since a machine's own would stand there; what is left, such as a half in a menu's mark, is a few pixels.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { expectNoSidewaysScroll } from '../fixtures/accessibility.ts'
import { isCarried } from '../fixtures/browser.ts'
import { expect, test } from '../fixtures/gallery.ts'
import { builtPath } from '../fixtures/program.ts'
import { expectWholeWords } from '../fixtures/wholeWords.ts'

/** Pixels of a picture that may differ: less than a letter. */
const pixelsMax = 40
const pictureBytesMax = 250_000
const allBytesMax = 6_000_000

/** What of a scene is taken: the window, or the part of it that the scene is about. */
const parts = {
  charts: '.grid > .charts',
  side: '.side',
  dialog: 'dialog',
  compare: '.compare-card[aria-label=Lines]',
} as const
type Part = keyof typeof parts | 'window'
const partOf = (page: Page, part: Part) => (part === 'window' ? page : page.locator(parts[part]))

const looks = [
  { width: 1440, colorScheme: 'light' },
  { width: 1440, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
] as const

/** In every look. */
const everywhere = [
  ['run', 'charts'],
  ['runs', 'window'],
] as const satisfies readonly (readonly [string, Part])[]
/** Wide and light, narrow and dark: what differs between looks is seen above. */
const twice = [
  ['finished', 'charts'],
  ['stale', 'charts'],
  ['advised', 'charts'],
  ['answers', 'charts'],
  ['loss-alone', 'charts'],
  ['zoomed', 'charts'],
  ['no-budget', 'charts'],
  ['what-if-ghost', 'charts'],
  ['diverged', 'window'],
  ['compare', 'compare'],
  ['settings', 'window'],
  ['tokens', 'window'],
  ['webhooks', 'window'],
  ['audit', 'window'],
  ['deleted', 'window'],
  ['groups', 'window'],
  ['waiting', 'side'],
  ['evidence', 'side'],
  ['race', 'side'],
  ['searching', 'side'],
  ['log', 'side'],
  ['schedule', 'side'],
  ['looking-back', 'side'],
  ['override', 'side'],
  ['branch', 'side'],
] as const satisfies readonly (readonly [string, Part])[]

test('every scene of the gallery stands without a complaint and fits 320 px', async ({
  gallery,
  page,
  complaints,
}) => {
  // A run that is not there is one of the scenes.
  complaints.allow(/status of 404/)
  const names = await gallery.names()
  expect(names.length).toBeGreaterThan(60)
  for (const name of names)
    await test.step(name, async () => {
      await gallery.show(name, { width: 320, colorScheme: 'dark' })
      await expectNoSidewaysScroll(page, `${name}, 320 px`)
      await expect(page.getByText('could not be loaded')).toHaveCount(0)
      // Only the scene that is about it.
      const troubles = name === 'not-understood' ? 1 : 0
      await expect(page.getByRole('alert', { name: 'Trouble' })).toHaveCount(troubles)
    })
})

test('the tables of the settings break no word at any width, and each value has its title', async ({
  gallery,
  page,
}) => {
  for (const scene of ['tokens', 'token-asked', 'webhooks', 'audit', 'deleted'])
    for (const width of [320, 390, 721, 900, 901, 1080, 1440]) {
      await gallery.show(scene, { width, colorScheme: 'light' })
      const where = `${scene}, ${width} px`
      await expect(page.locator('tbody tr').first()).toBeVisible()
      await expectWholeWords(page, where)
      await expectNoSidewaysScroll(page, where)
      const values = page.locator('tbody td[data-title]:not(:empty)')
      const titles = await values.evaluateAll((cells) =>
        cells.map((cell) => getComputedStyle(cell, '::before').content),
      )
      const isBlock = width <= 900
      expect(titles.length, where).toBeGreaterThan(0)
      expect(
        titles.filter((title) => (title === 'none') === isBlock),
        where,
      ).toEqual([])
      await expect(page.getByRole('columnheader', { includeHidden: false })).toHaveCount(
        isBlock ? 0 : await page.locator('thead th').count(),
      )
    }
})

/** One call for a page and for a part of it, which Playwright types apart. */
async function expectPicture(taken: Page | Locator, name: string): Promise<void> {
  const options = { maxDiffPixels: pixelsMax }
  if ('goto' in taken) await expect(taken).toHaveScreenshot(name, options)
  else await expect(taken).toHaveScreenshot(name, options)
}

const pictures = [
  ...everywhere.map((scene) => [scene, looks] as const),
  ...twice.map((scene) => [scene, [looks[0], looks[3]]] as const),
]
for (const [[scene, part], seen] of pictures)
  test(`${scene}, ${part}: looks as it did`, async ({ gallery, page }) => {
    test.skip(!isCarried(), 'pictures are compared in the carried browser alone')
    for (const look of seen) {
      await gallery.show(scene, look)
      const name = `${scene}-${part}-${look.width}-${look.colorScheme}.png`
      await expectPicture(partOf(page, part), name)
    }
  })

test('the pictures in the repository are small, and each belongs to a scene', () => {
  const folder = builtPath('e2e/pictures')
  const files = readdirSync(folder)
  const known = pictures.flatMap(([[scene, part], seen]) =>
    seen.map(({ width, colorScheme }) => `${scene}-${part}-${width}-${colorScheme}.png`),
  )
  expect(files.sort()).toEqual(known.sort())
  const sizes = files.map((name) => statSync(join(folder, name)).size)
  expect(Math.max(...sizes)).toBeLessThan(pictureBytesMax)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(allBytesMax)
})
