// `npm run bench -- pictures [--seed N] [--redraw]`: two steered runs of the task matrix, half a minute together, drawn
// for docs/DECISIONS.md into docs/images, with the sentences of their decisions. What the pictures are drawn from is
// kept in bench/results, so that `--redraw` needs no training.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { summaryOf } from '../../tuner/index.ts'
import { steeredRun } from '../steeredRun.ts'
import { benchTask, jobOf } from '../tasks.ts'
import { coursePicture, rulePicture } from './pictures.ts'
import { type Story, storyOf } from './story.ts'

const subjects = [
  { task: 'mnist', name: 'MNIST', pictures: { course: coursePicture } },
  {
    task: 'noise',
    name: 'Fashion-MNIST, 30 % wrong labels',
    pictures: { course: coursePicture, rule: rulePicture },
  },
] as const

const imageFolder = join('docs', 'images')
const storyFolder = join('bench', 'results')

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
    const title = `${task.name}, seed ${seed}, from the rate ${matrix.defaultRate}`
    const { phases } = summaryOf(state)
    return storyOf(title, { log, decisions, phases, stepCount: state.budgetSteps ?? state.seen.step })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function benchPictures(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { seed: { type: 'string', default: '1' }, redraw: { type: 'boolean', default: false } },
  })
  const seed = Number(values.seed)
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`seed must be a whole number from 0 on, got ${values.seed}`)
  for (const folder of [imageFolder, storyFolder]) mkdirSync(folder, { recursive: true })
  for (const subject of subjects) {
    const kept = join(storyFolder, `pictures-${subject.task}.json`)
    const story: Story = values.redraw ? JSON.parse(readFileSync(kept, 'utf8')) : await told(subject, seed)
    if (!values.redraw) writeFileSync(kept, JSON.stringify(story))
    for (const [kind, draw] of Object.entries(subject.pictures)) {
      const file = join(imageFolder, `decisions-${subject.task}-${kind}.svg`)
      writeFileSync(file, draw(story))
      console.log(`wrote ${file}`)
    }
  }
}
