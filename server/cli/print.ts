// What a command writes to standard output: text in which nothing steers the terminal. What was written elsewhere, such as a name,
// goes through `onOneLine` besides, where it stands in a sentence.

import { onLines } from '../controls.ts'

export const print = (text: string): void => void process.stdout.write(`${onLines(text)}\n`)
