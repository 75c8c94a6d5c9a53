// `npm run bench -- forecasts`: how near the forecasts of the final loss come, and how true their intervals and the stated
// probabilities are, from the rows that are kept with the record. `--gather FILE SET …` makes rows anew: of the jobs in the
// database of a server (development or judging), of the traces (`traces`), of whole runs of the built-in trainer (`steered`).

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { repositoryRoot } from '../traces/store.ts'
import { builtInRows, steeredRows, tracedRows } from './gather.ts'
import { type ForecastRow, readRows } from './rows.ts'
import { forecastsMarkdown } from './table.ts'

const folder = () => join(repositoryRoot(), 'bench', 'records', '2026-11-28-forecasts')
const sources = ['traces', 'steered', 'development', 'judging'] as const
type Source = (typeof sources)[number]
const fileOf = (source: Source) => join(folder(), `${source}.ndjson.gz`)

function gathered(source: Source, database: string | undefined): ForecastRow[] | Promise<ForecastRow[]> {
  if (source === 'traces') return tracedRows()
  if (source === 'steered') return builtInRows()
  if (database === undefined) throw new RangeError(`--gather ${source} needs the database of a server`)
  return steeredRows(database, source)
}

/** @param args `--gather SOURCE [DATABASE]`; else the tables. */
export async function benchForecasts(args: readonly string[]): Promise<void> {
  if (args[0] !== '--gather') {
    console.log(forecastsMarkdown(sources.flatMap((source) => readRows(fileOf(source)))))
    return
  }
  const source = sources.find((name) => name === args[1])
  if (source === undefined)
    throw new RangeError(`--gather needs one of ${sources.join(', ')}, got ${args[1]}`)
  const rows = await gathered(source, args[2])
  writeFileSync(
    fileOf(source),
    gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join(''), { level: 9 }),
  )
  console.log(`${rows.length} rows in ${fileOf(source)}`)
}
