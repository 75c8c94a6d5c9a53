import { describe, expect, test } from 'vitest'
import { readDriver, whyNoCard } from './driver.ts'
import { type MadeUpSystem, madeUpSystem, withCard } from './testing/madeUpSystem.ts'

const reason = (system: MadeUpSystem) => whyNoCard(readDriver(madeUpSystem(system)))
const kernelModule = {
  '/proc/driver/nvidia/version':
    'NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82.01  Wed Oct 27 21:21:55 UTC 2021\nGCC version: 9\n',
}

describe('what is known of card and driver', () => {
  test('nvidia-smi names driver, card and memory', () => {
    expect(readDriver(madeUpSystem(withCard))).toEqual({
      version: '550.54.15',
      cards: [{ name: 'NVIDIA H100 80GB HBM3', memoryMegabytes: 81_559, computeCapability: '9.0' }],
      libcuda: '/usr/lib/x86_64-linux-gnu/libcuda.so.1',
      libnvml: '/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1',
      hiddenBy: null,
    })
    expect(reason(withCard)).toBeUndefined()
  })

  test('several cards are all named', () => {
    const programs = {
      'nvidia-smi ': '550.54.15, 40960, 8.0, NVIDIA A100\n550.54.15, [N/A], 7.5, NVIDIA T4, small\n',
    }
    expect(readDriver(madeUpSystem({ programs })).cards).toEqual([
      { name: 'NVIDIA A100', memoryMegabytes: 40_960, computeCapability: '8.0' },
      { name: 'NVIDIA T4, small', memoryMegabytes: null, computeCapability: '7.5' },
    ])
  })

  test('a driver that does not know compute capabilities is asked without them', () => {
    const programs = {
      'nvidia-smi --query-gpu=driver_version,memory.total,name': '470.82.01, 4096, GTX 960\n',
    }
    const { version, cards } = readDriver(madeUpSystem({ programs }))
    expect({ version, cards }).toEqual({
      version: '470.82.01',
      cards: [{ name: 'GTX 960', memoryMegabytes: 4_096, computeCapability: null }],
    })
  })

  test('an error that nvidia-smi prints is not taken for a card', () => {
    const programs = {
      'nvidia-smi ': "NVIDIA-SMI has failed because it couldn't communicate, really, sorry\n",
    }
    expect(readDriver(madeUpSystem({ programs }))).toMatchObject({ version: null, cards: [] })
  })

  test('without nvidia-smi the kernel module tells its version', () => {
    expect(readDriver(madeUpSystem({ files: kernelModule })).version).toBe('470.82.01')
  })

  test('libraries are found by LD_LIBRARY_PATH first and by the linker cache last', () => {
    const own = madeUpSystem({
      environment: { LD_LIBRARY_PATH: '/own:' },
      files: { '/own/libcuda.so.1': '' },
    })
    expect(readDriver(own).libcuda).toBe('/own/libcuda.so.1')
    const programs = { 'ldconfig -p': '\tlibcuda.so.1 (libc6,x86-64) => /odd/libcuda.so.1\n' }
    expect(readDriver(madeUpSystem({ programs })).libcuda).toBe('/odd/libcuda.so.1')
  })
})

describe('why there is no card', () => {
  test('no driver: the sentence that a setup on a computer without a card ends with', () => {
    expect(reason({})).toBe(
      'no NVIDIA driver is here (neither nvidia-smi nor libcuda.so.1): install driver 525.60 or newer; a container gets it from the host by "--gpus all" and NVIDIA\'s container toolkit',
    )
  })

  test('the driver is loaded but a container lacks its libraries', () => {
    expect(reason({ ...withCard, files: {} })).toContain(
      'the NVIDIA driver 550.54.15 is loaded, but its library libcuda.so.1 is not to be found',
    )
    const computeOnly = { '/usr/lib/x86_64-linux-gnu/libcuda.so.1': '' }
    expect(reason({ ...withCard, files: computeOnly })).toContain(
      'its library libnvidia-ml.so.1 is not to be found: in a container set NVIDIA_DRIVER_CAPABILITIES=compute,utility',
    )
  })

  test('libraries without a card', () => {
    expect(reason({ files: withCard.files! })).toContain('is here, but no card answers')
  })

  test('a driver too old for CUDA 12', () => {
    expect(reason({ files: { ...withCard.files, ...kernelModule } })).toBe(
      'the NVIDIA driver must be 525.60 or newer for CUDA 12, it is 470.82.01: update it',
    )
  })

  test.each(['', '-1', ' none '])('CUDA_VISIBLE_DEVICES=%j hides the card', (value) => {
    expect(reason({ ...withCard, environment: { CUDA_VISIBLE_DEVICES: value } })).toContain(
      'hides every card',
    )
  })

  test.each(['0', '1,0', 'GPU-8932f937'])('CUDA_VISIBLE_DEVICES=%s names one', (value) => {
    expect(reason({ ...withCard, environment: { CUDA_VISIBLE_DEVICES: value } })).toBeUndefined()
  })
})
