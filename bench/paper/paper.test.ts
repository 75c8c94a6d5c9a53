import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { benchPaper, experimentNames, runPaper } from './paper.ts'
import { tinySizes } from './sizes.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-paper-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Every experiment at a size of seconds: its code runs to the end, says a verdict, and leaks nothing. */
describe('at tiny sizes', () => {
  it.each(experimentNames.filter((name) => name !== 'buffer'))(
    'experiment %s trains, reports a verdict, and is not trained again',
    async (name) => {
      const made: string[] = []
      const options = {
        names: [name],
        folder,
        sizes: tinySizes,
        onMade: (key: string) => void made.push(key),
      }
      const report = await runPaper(options)
      expect(report).toMatch(/\*\*(passed|failed)\*\*/)
      expect(report).not.toContain('undefined')
      expect(made.length).toBeGreaterThan(0)
      expect(tf.memory().numTensors).toBe(0)
      made.length = 0
      expect(await runPaper(options)).toBe(report)
      expect(made).toEqual([])
      const results = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))
      expect(Object.keys(results).length).toBeGreaterThan(0)
    },
  )
})

it('an experiment that there is not is refused by name', async () => {
  await expect(benchPaper(['--only', 'a,x'])).rejects.toThrow(
    '--only must name some of a, b, c, d, e, buffer, got x',
  )
})
