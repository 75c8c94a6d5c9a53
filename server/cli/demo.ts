// `twostep demo`: a server in this process, a real training run in another, and what it decides as sentences.

import { join } from 'node:path'
import pc from 'picocolors'
import { formatPercent, formatRate, formatStep } from '../../protocol/numbers.ts'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import type { App } from '../app.ts'
import { isoTime, realClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { CommandError } from '../errors.ts'
import { foldHolds, known, type Progress, progressLine, table } from './sentences.ts'
import { firstTokenWords, randomId, startServer, untilStopped } from './serve.ts'
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
  const switched = summary.switchStep === null ? 'never' : formatStep(summary.switchStep)
  return table([
    ['test accuracy', known((share) => formatPercent(share, 4), summary.testAccuracy)],
    ['large rate', known(formatRate, summary.largeLearningRate)],
    [
      'switched at step',
      summary.budgetSteps === null ? switched : `${switched} of ${formatStep(summary.budgetSteps)}`,
    ],
    ...(switchReason === undefined ? [] : [['why', switchReason]]),
    ['decisions', String(summary.decisionCount)],
    ['time on signals', known(formatPercent, summary.signalShare)],
    ['time on probes', known(formatPercent, summary.probeShare)],
    ['seconds', summary.wallSeconds.toFixed(1)],
    ['run', summary.runId],
  ])
}

/** Where tokens are demanded, the demo's own trainer needs one, too. */
async function trainerToken({ tokens }: App): Promise<string | undefined> {
  if (!tokens.isRequired) return undefined
  const expiresAt = isoTime(realClock.now() + 86_400_000)
  const name = `demo ${randomId('token')}`
  const { secret } = await tokens.create({ name, scopes: ['read', 'write'], project: null, expiresAt })
  return secret
}

type Screen = ReturnType<typeof createScreen>
type DemoServer = Awaited<ReturnType<typeof startServer>>

/** Starts the trainer on the demo's run, and shows what happens to it. */
function startRun(
  { app, url }: DemoServer,
  screen: Screen,
  trainerOptions: readonly string[],
  token: string | undefined,
) {
  const holds = foldHolds()
  // Its own id, so that the decisions are told from those of other runs on this server.
  const runId = randomId('run').replace('run-', 'demo-')
  const told: { summary?: TrainerSummary; switchReason?: string } = {}
  const take = (decision: Decision) => {
    if (decision.kind === 'switch') told.switchReason = decision.summary
    for (const line of holds.add(decision)) screen.line(line)
  }
  // From the server itself, which knows every one; an answer to the trainer carries the newest only.
  app.runs.onEvent((event) => {
    if (event.kind === 'batch' && event.record.id === runId) event.decisions.forEach(take)
  })
  const words = ['--server', url, '--run-id', runId, ...trainerOptions]
  const trainer = startTrainer(words, token, {
    progress: screen.progress,
    summary: (summary) => {
      told.summary = summary
    },
    note: screen.line,
  })
  const ended = trainer.ended.finally(() => {
    for (const line of holds.end()) screen.line(line)
    screen.clear()
  })
  return { runId, told, child: trainer.child, ended }
}

/** Resolves to the exit status. @throws CommandError if the trainer dies; the server is closed then. */
export async function demo(config: Config, options: DemoOptions): Promise<number> {
  const server = await startServer(config)
  const { app, url } = server
  const screen = createScreen(process.stdout)
  try {
    screen.line(`${pc.bold('Twostep')} is ready: open ${pc.cyan(url)}`)
    const first = await app.tokens.first()
    if (first !== undefined) screen.line(firstTokenWords(first.secret))
    const startedAt = performance.now()
    const stateDir = join(config.dataDir, 'trainer')
    const spoolDir = join(config.dataDir, 'spool')
    const folders = ['--state-dir', stateDir, '--spool-dir', spoolDir]
    const { runId, told, child, ended } = startRun(
      server,
      screen,
      [...folders, ...options.trainer],
      await trainerToken(app),
    )
    let interrupted = false
    const stopped = untilStopped(async () => {
      interrupted = true
      child.kill('SIGTERM')
      await ended
    })
    const { exitStatus, lastErrors } = await ended
    if (interrupted) return 1
    if (told.summary === undefined) {
      const why = lastErrors.length === 0 ? '' : `:\n${lastErrors.join('\n')}`
      throw new CommandError(`the trainer died (exit status ${exitStatus}) before the run was finished${why}`)
    }
    const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(1))
    const summary = demoSummary(told.summary, await app.runs.summary(runId), seconds)
    screen.line(summaryTable(summary, told.switchReason))
    if (!options.exit) screen.line(`Still serving at ${pc.cyan(`${url}/runs/${runId}`)}; Ctrl-C stops.`)
    if (options.json) screen.line(JSON.stringify(summary))
    const isInVain = told.summary.isBetter === false
    if (isInVain) screen.line('The run ended no better than it began.')
    if (!options.exit) await stopped
    return isInVain ? 1 : 0
  } finally {
    await app.close()
  }
}
