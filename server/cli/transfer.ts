// `twostep export` and `twostep import`: a run's log from a running server into a file, and back into one. What was not
// transferred whole never stands under the file's name.

import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { formatPlural } from '../../protocol/numbers.ts'
import {
  type ImportAnswer,
  importAnswerSchema,
  type LogEnd,
  limits,
  logEndSchema,
} from '../../protocol/schemas.ts'
import { CommandError } from '../errors.ts'
import { linesOf } from '../transfer/lines.ts'
import { address, query, type ReadOptions } from './read.ts'
import { callRemote, failureWord, parseAnswer } from './remote.ts'

const isCompressed = (file: string) => file.endsWith('.gz')
const standard = '-'

/** The server's answer, or a sentence that it ended too early, which is no fault of the file that it goes to. */
async function* answered(chunks: AsyncIterable<Uint8Array>, { server }: ReadOptions) {
  try {
    yield* chunks
  } catch (error) {
    throw new CommandError(
      `${server} broke off its answer before the end (${failureWord(error)}): its log says why, as does \`twostep doctor\` where it runs. What came is no whole log`,
    )
  }
}

/** Passes the log's lines through, and keeps the newest one: the last says that the log is whole. */
async function* noted(chunks: AsyncIterable<Uint8Array>, last: { text: string }) {
  for await (const { text } of linesOf(chunks, limits.logLineBytesMax)) {
    last.text = text
    yield `${text}\n`
  }
}

/** @throws CommandError if the last line is not that of a whole log. */
function endOf(text: string): LogEnd {
  const { data } = logEndSchema.safeParse(jsonOrNothing(text))
  if (data === undefined)
    throw new CommandError(
      'the log ends before its last line: is the run still there? What came is no whole log',
    )
  return data
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Writes what comes to a file that gets its name once it is whole. */
async function write(log: AsyncIterable<string>, file: string, check: () => LogEnd): Promise<LogEnd> {
  const part = `${file}.part`
  try {
    const handle = await open(part, 'w')
    const output = handle.createWriteStream()
    if (isCompressed(file)) await pipeline(log, createGzip(), output)
    else await pipeline(log, output)
    const end = check()
    await rename(part, file)
    return end
  } catch (error) {
    await rm(part, { force: true })
    if (error instanceof CommandError) throw error
    throw new CommandError(`${file} could not be written (${(error as Error).message})`)
  }
}

/** `twostep export RUN [FILE]`. @throws CommandError */
export async function exportRun(
  runId: string,
  file: string = `${runId}.twostep.ndjson`,
  options: ReadOptions,
): Promise<void> {
  const { json } = options
  const { body } = await callRemote(options, `${address(runId)}/export`)
  const last = { text: '' }
  const log = noted(answered(body as AsyncIterable<Uint8Array>, options), last)
  if (file === standard) {
    for await (const line of log) if (!process.stdout.write(line)) await once(process.stdout, 'drain')
    endOf(last.text)
    return
  }
  const { observations, decisions } = await write(log, file, () => endOf(last.text))
  process.stdout.write(
    json === true
      ? `${JSON.stringify({ runId, file, observations, decisions })}\n`
      : `${file}: ${formatPlural(observations, 'observation')}, from which follow ${formatPlural(decisions, 'decision')}\n`,
  )
}

function importSentence({ run, decisions, observations, tunerVersion }: ImportAnswer): string {
  const { made, identical, firstDifferent } = decisions
  const head = `run ${run.id}: ${formatPlural(observations, 'observation')}, ${formatPlural(made, 'decision')}`
  if (identical === null)
    return `${head}, made anew by tuner ${tunerVersion.made} (the export has those of tuner ${tunerVersion.exported})`
  if (firstDifferent === null) return `${head}, identical to those exported`
  return `${head}, of which ${identical} identical to those exported; the first that differs is #${firstDifferent}`
}

/** `twostep import FILE`. @throws CommandError */
export async function importRun(
  file: string,
  options: ReadOptions & { readonly runId?: string },
): Promise<void> {
  const { server, json, runId } = options
  const source = file === standard ? process.stdin : createReadStream(file)
  try {
    if (file !== standard) await once(source, 'open')
  } catch (error) {
    throw new CommandError(`${file} could not be read (${(error as Error).message})`)
  }
  const response = await callRemote(options, `/runs/import${query({ runId })}`, {
    method: 'POST',
    body: Readable.toWeb(source),
    duplex: 'half',
    headers: {
      'content-type': 'application/x-ndjson',
      ...(isCompressed(file) ? { 'content-encoding': 'gzip' } : {}),
    },
  } as RequestInit)
  const text = await response.text()
  const answer = parseAnswer(importAnswerSchema, text, server)
  process.stdout.write(`${json === true ? text : importSentence(answer)}\n`)
}
