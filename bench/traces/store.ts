// The trace files: one per task in bench/traces/data, rewritten whole when runs are added, so that a generation that
// is stopped keeps what it has finished.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { parseTraces, type TaskTraces, type TraceHeader, type TraceRun, traceLine } from './format.ts'

const extension = '.ndjson.gz'

/** The repository's root, from wherever this file runs (source or dist). */
export function repositoryRoot(from: string = import.meta.dirname): string {
  if (existsSync(join(from, 'package.json'))) return from
  if (dirname(from) === from) throw new Error('a bench must run inside the repository, got no package.json')
  return repositoryRoot(dirname(from))
}

export const traceFolder = (): string => join(repositoryRoot(), 'bench', 'traces', 'data')

/** Names of the tasks that have traces. */
export function tracedTasks(folder: string = traceFolder()): string[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter((file) => file.endsWith(extension))
  return files.map((file) => file.slice(0, -extension.length)).sort()
}

/** undefined = the task has none. @throws Error if the file is no trace file. */
export function loadTraces(task: string, folder: string = traceFolder()): TaskTraces | undefined {
  const file = join(folder, `${task}${extension}`)
  return existsSync(file) ? parseTraces(gunzipSync(readFileSync(file)).toString('utf8')) : undefined
}

/** Adds runs to a task's file, in place of those of the same rate and seed. */
export function addRuns(
  header: TraceHeader,
  added: readonly TraceRun[],
  folder: string = traceFolder(),
): void {
  const kept = (loadTraces(header.task.name, folder)?.runs ?? []).filter(
    (run) => !added.some(({ rate, seed }) => rate === run.rate && seed === run.seed),
  )
  const runs = [...kept, ...added].sort((a, b) => a.rate - b.rate || a.seed - b.seed)
  const text = [header, ...runs].map((entry) => `${traceLine(entry)}\n`).join('')
  mkdirSync(folder, { recursive: true })
  // Renaming is all or nothing: a reader never meets half a file.
  const file = join(folder, `${header.task.name}${extension}`)
  writeFileSync(`${file}.part`, gzipSync(text, { level: 9 }))
  renameSync(`${file}.part`, file)
}
