import { expect, it } from 'vitest'
import { backendReport } from './backendReport.ts'
import { cpuOpener } from './cpu.ts'
import { openBackend } from './openBackend.ts'

it('tells card, libraries, TensorFlow, and the backend that is taken', async () => {
  const { checks, backend } = await backendReport(() => openBackend('auto', [cpuOpener]))
  expect(checks.map(({ name }) => name)).toEqual([
    'card',
    'CUDA libraries',
    'TensorFlow for the card',
    'TensorFlow for the processor',
    'backend',
  ])
  expect(backend).toBe('cpu')
  expect(checks.at(-1)).toMatchObject({ ok: true, detail: expect.stringMatching(/^the cpu backend \(/) })
})

it('is not well if no backend can be used, and says why', async () => {
  const { checks, backend } = await backendReport(() => openBackend('auto', []))
  expect(backend).toBeNull()
  expect(checks.at(-1)).toMatchObject({
    ok: false,
    detail: expect.stringContaining('backend auto cannot be used'),
  })
})
