// `twostep demo`: a server in this process, a real training run in another, and what it decides as sentences.

import { join } from 'node:path'
import pc from 'picocolors'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import type { Config } from '../config.ts'
import { CommandError } from '../errors.ts'
import { foldHolds, number, type Progress, percent, progressLine, table, thousands } from './sentences.ts'
import { startServer, untilStopped } from './serve.ts'
import { startTrainer, type TrainerSummary } from './trainerProcess.ts'

export type DemoOptions = {
  /** Stop at the end instead of serving on. */
  readonly exit: boolean
  readonly json: boolean
  /** Options for the trainer, as given. */
  readonly trainer: readonly string[]
}

/** Lines of progress over a run where the output is no terminal: one each 5 %. */
const progressLines = 20
/** The same without a budget: one line each this many steps. */
const progressSteps = 500

export type DemoSummary = {
  readonly testAccuracy: number | null
  readonly largeLearningRate: number | null
  readonly switchStep: number | null
  readonly budgetSteps: number | null
  readonly decisionCount: number
  readonly signalShare: number | null
  readonly probeShare: number | null
  readonly wallSeconds: number
  readonly runId: string
}

/** Lines above, one line of progress below (on a terminal). */
export function createScreen(output: {
  readonly isTTY?: boolean
  write(text: string): unknown
  columns?: number
}) {
  let partShown = -1
  let drawn = false
  const clear = () => {
    if (drawn) output.write('\r\u001b[K')
    drawn = false
  }
  return {
    line: (text: string) => {
      clear()
      output.write(`${text}\n`)
    },
    progress: (progress: Progress) => {
      const text = progressLine(progress)
      if (output.isTTY === true) {
        output.write(`\r\u001b[K${text.slice(0, (output.columns ?? 80) - 1)}`)
        drawn = true
        return
      }
      const { step, budgetSteps } = progress
      const part =
        budgetSteps === null
          ? Math.floor(step / progressSteps)
          : Math.floor((step * progressLines) / budgetSteps)
      if (part <= partShown) return
      partShown = part
      output.write(`${text}\n`)
    },
    clear,
  }
}

function numberIn(summary: TrainerSummary, name: string): number | null {
  const value = summary[name]
  return typeof value === 'number' ? value : null
}

/** The trainer measures the accuracy; the rest is what the server knows of the run. */
export function demoSummary(trainer: TrainerSummary, run: RunSummary, wallSeconds: number): DemoSummary {
  return {
    testAccuracy: numberIn(trainer, 'testAccuracy'),
    largeLearningRate: run.largeLearningRate,
    switchStep: run.switchStep,
    budgetSteps: run.budgetSteps,
    decisionCount: run.decisionCount,
    signalShare: run.signalShare ?? numberIn(trainer, 'signalShare'),
    probeShare: run.probeShare ?? numberIn(trainer, 'probeShare'),
    wallSeconds,
    runId: run.id,
  }
}

export function summaryTable(summary: DemoSummary, switchReason: string | undefined): string {
  const switched = summary.switchStep === null ? 'never' : thousands(summary.switchStep)
  return table([
    ['test accuracy', percent(summary.testAccuracy)],
    ['large rate', number(summary.largeLearningRate)],
    [
      'switched at step',
      summary.budgetSteps === null ? switched : `${switched} of ${thousands(summary.budgetSteps)}`,
    ],
    ...(switchReason === undefined ? [] : [['why', switchReason]]),
    ['decisions', String(summary.decisionCount)],
    ['time on signals', percent(summary.signalShare)],
    ['time on probes', percent(summary.probeShare)],
    ['seconds', summary.wallSeconds.toFixed(1)],
    ['run', summary.runId],
  ])
}

/** Resolves to the exit status. */
export async function demo(config: Config, options: DemoOptions): Promise<number> {
  const { app, url } = await startServer(config)
  const screen = createScreen(process.stdout)
  screen.line(`${pc.bold('Twostep')} is ready: open ${pc.cyan(url)}`)
  const holds = foldHolds()
  let runId: string | undefined
  let summary: TrainerSummary | undefined
  let switchReason: string | undefined
  const startedAt = performance.now()
  const take = (decision: Decision) => {
    runId = decision.runId
    if (decision.kind === 'switch') switchReason = decision.summary
    for (const line of holds.add(decision)) screen.line(line)
  }
  const folders = [
    '--state-dir',
    join(config.dataDir, 'trainer'),
    '--spool-dir',
    join(config.dataDir, 'spool'),
  ]
  const { child, ended } = startTrainer(['--server', url, ...folders, ...options.trainer], {
    progress: screen.progress,
    decision: take,
    summary: (given) => {
      summary = given
    },
    note: screen.line,
  })
  let stopped = false
  const stop = untilStopped(async () => {
    stopped = true
    child.kill('SIGTERM')
    await ended
    await app.close()
  })
  const { exitStatus, lastErrors } = await ended
  for (const line of holds.end()) screen.line(line)
  screen.clear()
  if (stopped) {
    await stop
    return 1
  }
  const id = typeof summary?.runId === 'string' ? summary.runId : runId
  if (exitStatus !== 0 || summary === undefined || id === undefined) {
    await app.close()
    const why = lastErrors.length === 0 ? '' : `:\n${lastErrors.join('\n')}`
    throw new CommandError(`the trainer died (exit status ${exitStatus}) before the run was finished${why}`)
  }
  const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(1))
  const result = demoSummary(summary, await app.runs.summary(id), seconds)
  screen.line(summaryTable(result, switchReason))
  if (!options.exit) screen.line(`Still serving at ${pc.cyan(`${url}/runs/${id}`)}; Ctrl-C stops.`)
  if (options.json) screen.line(JSON.stringify(result))
  if (options.exit) await app.close()
  else await stop
  return 0
}
