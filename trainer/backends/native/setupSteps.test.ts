import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { partsOf } from './pins.ts'
import { takeLock } from './setupLock.ts'
import { main, outcomeSentences, parseVariant, planSentences, sizes } from './setupSteps.ts'

const everything = (variant: 'cpu' | 'gpu') => ({ ...partsOf[variant], addon: true })

describe('what the setup says beforehand', () => {
  test('each file with its size, the sum, and the place', () => {
    expect(planSentences(everything('cpu'), '/here')).toEqual([
      'To fetch from PyPI and npm: 274 MB, which become 856 MB in /here',
      '  tensorflow-cpu 2.21.0, 274 MB',
      '  @tensorflow/tfjs-node 4.22.0, 0.2 MB',
      '  google-protobuf 3.21.4, 0.07 MB',
      '  node-api-headers 1.9.0, 0.02 MB',
    ])
  })

  test("the GPU variant names NVIDIA's libraries and their licence", () => {
    const lines = planSentences(everything('gpu'), '/here')
    expect(lines[0]).toBe('To fetch from PyPI and npm: 3380 MB, which become 5253 MB in /here')
    expect(lines.filter((line) => line.includes('nvidia-'))).toHaveLength(13)
    expect(lines.at(-1)).toContain("NVIDIA's own licence")
  })

  test('nothing, where everything is here', () => {
    expect(planSentences({ wheels: [], packages: [], addon: false }, '/here')).toEqual([])
    expect(sizes({ wheels: [], packages: [], addon: true })).toEqual({ download: 0, unpacked: 0, most: 0 })
  })

  test('room is needed for what is unpacked and the largest file', () => {
    const { unpacked, most } = sizes(everything('gpu'))
    expect(most - unpacked).toBe(716_538_495)
  })
})

describe('what the setup says at the end', () => {
  const trained = { variant: 'gpu', sentence: 'It trained', onGpu: false } as const
  const noDriver = 'no NVIDIA driver is here'

  test('without a driver the GPU variant is in place, and the sentence says what is missing', () => {
    expect(outcomeSentences('gpu', trained, noDriver)).toEqual([
      'It trained.',
      'No card was used, because no NVIDIA driver is here. Everything up to the driver is in place: on a computer with a card and driver 525.60 or newer it needs nothing more, "twostep doctor" shows whether it is seen.',
    ])
  })

  test('a card that TensorFlow does not take is not passed over in silence', () => {
    expect(outcomeSentences('gpu', trained, undefined)[1]).toContain(
      'because TensorFlow found none that it can use',
    )
  })

  test('a card in use, and the processor, need no second sentence', () => {
    expect(outcomeSentences('gpu', { ...trained, onGpu: true }, undefined)).toEqual(['It trained.'])
    expect(outcomeSentences('cpu', { ...trained, variant: 'cpu' }, noDriver)).toEqual(['It trained.'])
  })

  test('a TensorFlow that does not work is told', () => {
    const failed = { variant: 'cpu', sentence: 'ended by SIGILL', error: 'ended by SIGILL' } as const
    expect(outcomeSentences('cpu', failed, undefined)).toEqual([
      'TensorFlow is in place but does not work: ended by SIGILL',
    ])
  })
})

describe('the command line', () => {
  test('names one of the two variants', () => {
    expect(parseVariant(['--cpu'])).toBe('cpu')
    expect(parseVariant(['--gpu'])).toBe('gpu')
    expect(parseVariant(['--help'])).toBeUndefined()
    expect(() => parseVariant([])).toThrow('one of --cpu and --gpu must be given, got none')
    expect(() => parseVariant(['--cpu', '--gpu'])).toThrow('got both')
  })

  test.each([[['--cqu']], [[]], [['--cpu', 'now']]])('%j is wrong usage: exit status 2', async (args) => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    expect(await main(args)).toBe(2)
    expect(written).toHaveBeenCalledOnce()
    written.mockRestore()
  })
})

describe('two setups at once', () => {
  test('the second is told who works, and a dead holder is taken over', () => {
    const folder = mkdtempSync(join(tmpdir(), 'twostep-lock-'))
    const file = join(folder, 'setup.lock')
    const release = takeLock(file)
    expect(() => takeLock(file)).toThrow(`another setup (process ${process.pid}) is at work in this folder`)
    release()
    expect(existsSync(file)).toBe(false)
    writeFileSync(file, 'not a process\n')
    takeLock(file)()
    writeFileSync(file, '4194999\n')
    const taken = takeLock(file)
    expect(readFileSync(file, 'utf8')).toBe(`${process.pid}\n`)
    taken()
    rmSync(folder, { recursive: true })
  })
})
