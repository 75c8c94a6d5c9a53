// The reporter's queue on disk: telemetry that could not be sent, one telemetry message a line, in order. Bounded in
// bytes: what does not fit is refused (and the reporter says so), what was accepted is kept until it was answered.
// If the process dies the file stays, and the next process of the same run sends it first.

import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

export const spoolBytesMax = 64 * 1024 * 1024
const chunkBytes = 256 * 1024
/** Settings of a run are in it, and others on the computer have no need of them. */
const ownersAlone = { encoding: 'latin1', mode: 0o600 } as const

export type Spool = {
  readonly file: string
  readonly isEmpty: boolean
  /** Why the last line could not be written; undefined where it could, or did not fit. */
  readonly problem: string | undefined
  /** false = it does not fit, or the disk refused it; nothing was written. */
  append(line: string): boolean
  /** The oldest line not yet removed. */
  peek(): string | undefined
  /** Removes that line; the file goes when its last line does. */
  shift(): void
  /** Puts others in the place of the lines that are left, all at once or (false) not at all, as the disk refused it. */
  rewrite(change: (line: string, index: number) => string): boolean
  /** The newest line that an earlier process left; undefined if it left none. */
  readonly lastLeft: string | undefined
}

/** The whole lines of a file left by an earlier process; cuts off a last line that was not written to its end. */
function leftOver(file: string): { written: number; lastLeft: string | undefined } {
  if (!existsSync(file)) return { written: 0, lastLeft: undefined }
  const text = readFileSync(file, 'latin1')
  const written = text.lastIndexOf('\n') + 1
  if (written < text.length) truncateSync(file, written)
  return {
    written,
    lastLeft:
      text
        .slice(0, Math.max(0, written - 1))
        .split('\n')
        .at(-1) || undefined,
  }
}

/** Takes over a file left by an earlier process of the same run. */
export function openSpool(file: string, bytesMax: number = spoolBytesMax): Spool {
  const left = leftOver(file)
  let { written } = left
  let readOffset = 0
  let lines: string[] = []
  let rest = ''
  let problem: string | undefined

  const fill = (): void => {
    while (lines.length === 0 && readOffset < written) {
      const buffer = Buffer.alloc(Math.min(chunkBytes, written - readOffset))
      const handle = openSync(file, 'r')
      const count = readSync(handle, buffer, 0, buffer.length, readOffset)
      closeSync(handle)
      if (count === 0) break
      readOffset += count
      // Messages are written with every non-ASCII character escaped, so a chunk never cuts a character.
      const parts = (rest + buffer.toString('latin1', 0, count)).split('\n')
      rest = parts.pop() ?? ''
      lines = parts.filter((line) => line !== '')
    }
  }
  const clear = (): void => {
    rmSync(file, { force: true })
    written = 0
    readOffset = 0
    rest = ''
  }
  /** Takes half a line away again, so that the next one does not follow it. */
  const cut = (): void => {
    try {
      if (existsSync(file) && statSync(file).size > written) truncateSync(file, written)
      if (written === 0) rmSync(file, { force: true })
    } catch {
      // A folder that takes nothing; a reader leaves out what is no line.
    }
  }
  const peek = (): string | undefined => {
    fill()
    return lines[0]
  }
  const put = (all: readonly string[]): void => {
    const text = all.map((line) => `${asciiJson(line)}\n`).join('')
    writeFileSync(`${file}.new`, text, ownersAlone)
    renameSync(`${file}.new`, file)
    written = text.length
    readOffset = 0
    lines = []
    rest = ''
  }
  return {
    file,
    lastLeft: left.lastLeft,
    get isEmpty() {
      return peek() === undefined
    },
    get problem() {
      return problem
    },
    append: (line) => {
      const text = `${asciiJson(line)}\n`
      if (written + text.length > bytesMax) return false
      try {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
        appendFileSync(file, text, ownersAlone)
      } catch (error) {
        problem = (error as Error).message
        cut()
        return false
      }
      problem = undefined
      written += text.length
      return true
    },
    peek,
    rewrite: (change) => {
      const before = [...lines]
      const left = written === 0 ? '' : readFileSync(file, 'latin1').slice(readOffset, written)
      const all = [...before, ...`${rest}${left}`.split('\n').filter((line) => line !== '')]
      if (all.length === 0) return true
      try {
        put(all.map(change))
        return true
      } catch (error) {
        problem = (error as Error).message
        return false
      }
    },
    shift: () => {
      peek()
      lines.shift()
      if (peek() === undefined) clear()
    },
  }
}

/** JSON text with every character beyond ASCII as an escape. */
function asciiJson(json: string): string {
  return json.replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
