// `npm run bench -- pictures [--seed N]`: two steered runs of the task matrix, half a minute together, drawn for
// docs/DECISIONS.md into docs/images, and the sentences of their decisions.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { summaryOf } from '../../tuner/index.ts'
import { steeredRun } from '../steeredRun.ts'
import { benchTask, jobOf } from '../tasks.ts'
import { coursePicture, rulePicture } from './pictures.ts'
import { type Story, storyOf } from './story.ts'

const subjects = [
  { task: 'mnist', name: 'MNIST', pictures: { course: coursePicture, rule: rulePicture } },
  {
    task: 'noise',
    name: 'Fashion-MNIST, 30 % of the labels wrong',
    pictures: { course: coursePicture },
  },
] as const

/** Trains one task at its default rate as a job would that is new to the tuner, and tells its story. */
async function told(task: (typeof subjects)[number], seed: number): Promise<Story> {
  const folder = mkdtempSync(join(tmpdir(), 'twostep-pictures-'))
  try {
    const matrix = benchTask(task.task)
    const outcome = await steeredRun(jobOf(matrix, { seed, learningRate: matrix.defaultRate }), folder)
    for (const { step, summary, whyNotYet = '' } of outcome.decisions)
      console.log(`${task.task} ${step}: ${summary} ${whyNotYet}`)
    const { testLoss, testAccuracy, decisions, log, state } = outcome
    console.log(JSON.stringify(decisions.findLast(({ kind }) => kind === 'switch')))
    console.log(
      `${task.task}: test loss ${testLoss.toFixed(3)}, accuracy ${(100 * testAccuracy).toFixed(1)} %\n`,
    )
    const title = `${task.name}, seed ${seed}, started at the rate ${matrix.defaultRate}`
    const { phases } = summaryOf(state)
    return storyOf(title, { log, decisions, phases, stepCount: state.budgetSteps ?? state.step })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function benchPictures(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { seed: { type: 'string', default: '1' } } })
  const seed = Number(values.seed)
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`seed must be a whole number from 0 on, got ${values.seed}`)
  const folder = join('docs', 'images')
  mkdirSync(folder, { recursive: true })
  for (const subject of subjects) {
    const story = await told(subject, seed)
    for (const [kind, draw] of Object.entries(subject.pictures)) {
      const file = join(folder, `decisions-${subject.task}-${kind}.svg`)
      writeFileSync(file, draw(story))
      console.log(`wrote ${file}`)
    }
  }
}
