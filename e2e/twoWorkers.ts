// One page for each of the two workers. It shows text in the browser's default font, as wide as text is: a browser that
// finds no font starts all the same, and shows nothing.

import { expect, test } from './fixtures/test.ts'

for (const worker of ['one', 'the other'])
  test(`${worker} worker's browser shows text`, async ({ page }) => {
    await page.setContent('<span>Twostep</span>')
    expect((await page.locator('span').boundingBox())?.width).toBeGreaterThan(20)
  })
