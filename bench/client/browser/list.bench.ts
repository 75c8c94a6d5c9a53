// A list of many runs: from navigation to its first row, from a key in the search field to the rows that it asks for, and how
// much the document holds.

import { quantilesOf } from '../thresholds.ts'
import { digitsOf } from './filled.ts'
import { firstRow, noteFirst, noteRows } from './inPage.ts'
import { test } from './part.ts'

const searches = 20
const keysPerSearch = 3

test('a list of many runs', async ({ asked, crowded, coldPage, keep }) => {
  const rowTimes: number[] = []
  const load = async () => {
    const { page } = await coldPage()
    await page.addInitScript(noteFirst, firstRow)
    await page.goto(crowded.url, { waitUntil: 'commit' })
    await page.waitForFunction(() => window.benchFirstMs !== undefined)
    return page
  }
  await (await load()).context().close()
  for (let i = 0; i < asked.loads; i++) {
    const page = await load()
    rowTimes.push(await page.evaluate(() => window.benchFirstMs!))
    await page.context().close()
  }
  const page = await load()
  const counts = await page.evaluate(() => {
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL)
    let nodes = 0
    while (walker.nextNode() !== null) nodes++
    return { elements: document.querySelectorAll('*').length, nodes }
  })
  const field = page.getByRole('searchbox')
  await field.focus()
  await page.evaluate(noteRows)
  for (let i = 0; i < searches; i++) {
    const digits = digitsOf((i * 997) % asked.runs)
    for (let key = 0; key < keysPerSearch; key++) {
      await field.press(digits[key]!)
      // A person's pace; also what is asked for by one key is not cut short by the next.
      await page.waitForTimeout(400)
    }
    await field.fill('')
    await page.waitForTimeout(400)
  }
  const searchTimes = (await page.evaluate(() => window.benchRows)).map(({ key, shown }) => shown - key)
  const figures = { ...quantilesOf('firstRow', rowTimes), ...quantilesOf('search', searchTimes), ...counts }
  keep('list', figures, { rowTimes, searchTimes })
})
