// `npm run bench -- client`: what a person at the page waits for, measured in Chromium against the built page and the real
// server: first picture, zoom, ten minutes of a live run, a list of 10,000 runs, what viewers cost the jobs, from post to
// pixel, bytes on the wire. Options: `--only first,zoom,live,list,viewers,pixel,bytes`, `--minutes` of the live run, `--loads`,
// `--posts`, `--steps`, `--runs`, `--data FOLDER` (keeps the filled servers for another time), `--out FOLDER` (raw results).
//
// The parts are run by Playwright, one after the other (browser/): it finds the browser as the browser tests do.

import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientOptions, optionsVariable, type Part } from './options.ts'
import { type Figures, table } from './thresholds.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const config = 'bench/client/browser/playwright.config.ts'

/** Resolves to whether it ended well; what it prints goes to our standard error. */
function done(command: string, args: readonly string[], env = process.env): Promise<boolean> {
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 2, 2] })
  return new Promise((settle, reject) => {
    child.once('error', reject)
    child.once('close', (code) => settle(code === 0))
  })
}

/** The figures that a part has left; undefined = it has not been measured. */
function figuresIn(folder: string, part: Part): Figures | undefined {
  try {
    const file = JSON.parse(readFileSync(join(folder, `${part}.json`), 'utf8')) as { figures: Figures }
    return file.figures
  } catch {
    return undefined
  }
}

/** @param args `--json` prints the figures as one line */
export async function benchClient(args: readonly string[]): Promise<void> {
  const options = clientOptions(args)
  const out = resolve(root, options.out)
  const data = options.data === '' ? '' : resolve(root, options.data)
  mkdirSync(out, { recursive: true })
  for (const part of options.only) rmSync(join(out, `${part}.json`), { force: true })
  if (!(await done('npm', ['run', '--silent', 'build']))) throw new Error('the page could not be built')
  const playwright = join(dirname(createRequire(import.meta.url).resolve('@playwright/test')), 'cli.js')
  const env = { ...process.env, [optionsVariable]: JSON.stringify({ ...options, out, data }) }
  const files = options.only.map((part) => `browser/${part}\\.bench\\.ts`)
  const isDone = await done(process.execPath, [playwright, 'test', '-c', config, ...files], env)
  const measured = new Map<Part, Figures>()
  for (const part of options.only) {
    const figures = figuresIn(out, part)
    if (figures !== undefined) measured.set(part, figures)
  }
  const text = table(measured)
  writeFileSync(join(out, 'table.md'), `${text}\n`)
  console.log(args.includes('--json') ? JSON.stringify(Object.fromEntries(measured)) : text)
  if (!isDone || measured.size < options.only.length) process.exitCode = 1
}
