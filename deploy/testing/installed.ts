// Programs that a test here needs and that not every computer has: where one is missing its tests are skipped, by name.

import { spawnSync } from 'node:child_process'

/**
 * Whether a program is there.
 * @param words that make it say its version
 * @param install how to have it
 */
export function isInstalled(program: string, words: readonly string[], install: string): boolean {
  const isThere = spawnSync(program, words, { stdio: 'ignore' }).status === 0
  if (!isThere) {
    const tried = [program, ...words].join(' ')
    console.warn(`\`${tried}\` does not work here (to have it: ${install}): its tests are skipped`)
  }
  return isThere
}
