import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Backend } from './backends/backend.ts'
import { openBackend } from './backends/openBackend.ts'
import { readCheckpoint, writeCheckpoint } from './checkpointFile.ts'
import { disposeCheckpoint } from './checkpoints.ts'
import { optimizerNames } from './optimizers/optimizer.ts'
import { smallTrainer, takeLosses, takeSteps } from './testing/smallTrainer.ts'

let backend: Backend
let folder: string
beforeAll(async () => {
  backend = (await openBackend('wasm')).backend
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twostep-checkpoint-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  expect(tf.memory().numTensors).toBe(0)
})

describe('a checkpoint on disk', () => {
  it.each(optimizerNames)('with %s makes another trainer go on bit for bit', async (optimizer) => {
    const file = join(folder, 'deep', 'x.checkpoint')
    const trainer = smallTrainer(backend, { optimizer })
    await takeSteps(trainer, 7)
    const checkpoint = trainer.capture()
    await writeCheckpoint(file, { checkpoint, stepCount: trainer.stepCount }, 'small')
    disposeCheckpoint(checkpoint)
    const first = await takeLosses(trainer, 10)
    trainer.dispose()
    const other = smallTrainer(backend, { optimizer, seed: 99 })
    const stored = await readCheckpoint(file, 'small')
    // A split batch adds in another order, so the steps that are split must be the same ones: 47 is 7 modulo 5.
    other.resumeFrom(stored.checkpoint, 47)
    disposeCheckpoint(stored.checkpoint)
    expect(stored.stepCount).toBe(7)
    const again = await takeSteps(other, 10)
    expect(again.map(({ loss }) => loss)).toEqual(first)
    expect(again[0]!.step).toBe(47)
    other.dispose()
    expect(readdirSync(join(folder, 'deep'))).toEqual(['x.checkpoint'])
  })
  it('that is missing, foreign, damaged or of another kind is refused with a sentence', async () => {
    const file = join(folder, 'x.checkpoint')
    await expect(readCheckpoint(file, 'small')).rejects.toThrow(
      /x\.checkpoint cannot be read .* nothing to resume from/,
    )
    writeFileSync(file, 'something else')
    await expect(readCheckpoint(file, 'small')).rejects.toThrow('it is no checkpoint')
    const trainer = smallTrainer(backend)
    const checkpoint = trainer.capture()
    await writeCheckpoint(file, { checkpoint, stepCount: 0 }, 'small')
    disposeCheckpoint(checkpoint)
    trainer.dispose()
    await expect(readCheckpoint(file, 'large')).rejects.toThrow('must be of large, got one of small')
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.subarray(0, bytes.length - 4))
    await expect(readCheckpoint(file, 'small')).rejects.toThrow(
      /must hold \d+ bytes, got \d+: the file is cut off or damaged/,
    )
    writeFileSync(file, bytes.subarray(0, 40))
    await expect(readCheckpoint(file, 'small')).rejects.toThrow('cut off or damaged')
  })
})
