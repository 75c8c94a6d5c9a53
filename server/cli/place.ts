// Where the package's own files are, whether this file runs as it is or built into dist/.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url)

/** Absolute path of a file of the package. */
export const packagePath = (path: string): string => fileURLToPath(new URL(path, root))

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { version: string }
  return version
}
