// A computer that answers as a test wants: by default a Linux machine on which everything is there but a card.

import type { System } from '../system.ts'

export type MadeUpSystem = Partial<Omit<System, 'probe' | 'text' | 'exists' | 'freeBytes'>> & {
  /** Output by the start of the command line; null = the program is missing or fails. */
  readonly programs?: Readonly<Record<string, string | null>>
  /** Text by path. A file that is in here exists. */
  readonly files?: Readonly<Record<string, string>>
  readonly free?: number
}

const programsByDefault = {
  'c++ --version': 'c++ 12.2.0',
  'python3 -c import zipfile, tarfile': '',
  'python3 -m pip --version': 'pip 23.0',
  'npm --version': '11.0.0',
}
const filesByDefault = { '/proc/cpuinfo': 'processor : 0\nflags\t\t: fpu sse2 avx avx2\n' }

export function madeUpSystem({ programs, files, free = 1e12, ...rest }: MadeUpSystem = {}): System {
  const allPrograms: Record<string, string | null> = { ...programsByDefault, ...programs }
  const allFiles: Record<string, string> = { ...filesByDefault, ...files }
  return {
    platform: 'linux',
    arch: 'x64',
    environment: {},
    glibc: '2.36',
    probe: (command, args) => {
      const line = [command, ...args].join(' ')
      const known = Object.keys(allPrograms).find((start) => line.startsWith(start))
      return known === undefined ? null : (allPrograms[known] ?? null)
    },
    text: (path) => allFiles[path] ?? null,
    exists: (path) => path in allFiles,
    freeBytes: () => free,
    ...rest,
  }
}

/** What nvidia-smi and the driver's libraries look like where a card works. */
export const withCard: MadeUpSystem = {
  programs: {
    'nvidia-smi --query-gpu=driver_version,memory.total,compute_cap,name':
      '550.54.15, 81559, 9.0, NVIDIA H100 80GB HBM3\n',
  },
  files: {
    '/usr/lib/x86_64-linux-gnu/libcuda.so.1': '',
    '/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1': '',
  },
}
