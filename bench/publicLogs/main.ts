// `npm run bench -- public-logs --data FOLDER [--small FOLDER]`: when the tuner would anneal large language models, and what that
// costs against the best cooldown, on logs in a folder that is not ours; gates that could tell such models from small jobs. The
// second folder holds logs of small jobs, as `twostep export` writes them. Prints the tables as markdown. Takes a minute or two.

import { optionOf } from '../options.ts'
import { judgedSettings } from './judged.ts'
import { loadLogs, logsFile } from './logs.ts'
import { longRows } from './long.ts'
import { openRows } from './open.ts'
import { allRows } from './rows.ts'
import { loggedJobs, madeUpJobs, tracedJobs } from './small.ts'
import { gateTable, longTable, openTable, rowsTable, sharesTable, signsTable, smallTable } from './table.ts'
import { repeatDeviation } from './truth.ts'

/** @param args `--data FOLDER`, `--small FOLDER`. */
export async function benchPublicLogs(args: readonly string[]): Promise<void> {
  const folder = optionOf(args, '--data', '')
  if (folder === '') {
    console.error(`public-logs needs --data FOLDER, the folder that holds ${logsFile}`)
    process.exitCode = 2
    return
  }
  const logs = loadLogs(folder)
  const { judged, power, pairs } = judgedSettings(logs)
  const rows = allRows(logs, judged)
  const { deviation, pairs: repeats } = repeatDeviation(logs)
  const small = optionOf(args, '--small', '')
  const jobs = [...tracedJobs(), ...madeUpJobs(), ...(small === '' ? [] : loggedJobs(small))]
  const trunks = [...new Map(judged.map(({ trunk }) => [trunk.nearest.log, trunk.nearest])).values()]
  const told = [
    `${logs.length} logs; ${judged.length} settings; deviation of one training ${deviation.toFixed(4)} (${repeats} pairs)`,
    `D grows with the rate to the power of ${power.toFixed(3)} (${pairs} pairs of other sizes)`,
    ...trunks.map(
      ({ log, donor }) =>
        `D at ${log.learningRate}: that of ${donor.layers} × ${donor.width} at ${donor.learningRate}`,
    ),
  ]
  const parts: [string, string][] = [
    ['What it is made of', told.map((line) => `- ${line}`).join('\n')],
    ['Nats above the best cooldown', rowsTable(rows, judged)],
    [
      'Where the anneal begins',
      sharesTable(
        rows.filter(({ name }) => /tuner|freed/.test(name)),
        judged,
      ),
    ],
    ['What a running job sees at half', signsTable(judged)],
    ['Gates', gateTable(judged, jobs)],
    ['Gates on small jobs', smallTable(jobs.filter(({ kind }) => kind === 'PyTorch'))],
    ['Long budgets', longTable(longRows(logs))],
    [
      'No budget',
      openTable(
        openRows(
          logs,
          trunks,
          judged.map(({ setting }) => setting),
        ),
      ),
    ],
  ]
  console.log(parts.map(([title, text]) => `## ${title}\n\n${text}`).join('\n\n'))
}
