// `npm run bench -- paper`: experiments A to E on the claims about two regimes, and the table of what momentum's buffer
// should do where momentum changes. Records say what each asks and which threshold it must meet: A and E
// bench/records/2026-11-24-paper, B, C and D bench/records/2026-11-28-paper. What is in the folder's files is not trained
// again; B and D share the divergence rates of their data sets.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { optionOf } from '../options.ts'
import { bandsReport, runBands } from './bands.ts'
import { bandsPicture } from './bandsPicture.ts'
import { bufferTable } from './bufferChange.ts'
import { divergenceRate } from './divergence.ts'
import { runGeneralisation } from './generalisation.ts'
import { generalisationReport } from './generalisationReport.ts'
import { type Lab, openLab, type Subject } from './lab.ts'
import { runOneSwitch } from './oneSwitch.ts'
import { oneSwitchReport } from './oneSwitchReport.ts'
import { generalisationPicture, rescalingPicture, smallStepPicture } from './ratioPictures.ts'
import { rescalingReport, runRescaling } from './rescaling.ts'
import { type PaperSizes, paperSizes } from './sizes.ts'
import { runSmallStep } from './smallStep.ts'
import { smallStepReport } from './smallStepReport.ts'
import { openStore, type Store } from './store.ts'

export const experimentNames = ['a', 'b', 'c', 'd', 'e', 'buffer'] as const
export type ExperimentName = (typeof experimentNames)[number]

type Around = {
  readonly lab: Lab
  readonly sizes: PaperSizes
  store(name: ExperimentName | 'rates'): Store
  /** Keeps a picture beside the results. */
  draw(name: ExperimentName, svg: string): void
}

/** What `make` gives for each data set at its divergence rate. */
async function overSubjects<Result>(
  { lab, sizes, store }: Around,
  make: (options: { name: string; subject: Subject; divergence: number }) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (const { name, divergence: sizesOfRate } of sizes.subjects) {
    const divergence = await divergenceRate(lab, store('rates'), { name, sizes: sizesOfRate })
    results.push(await make({ name, subject: sizesOfRate.subject, divergence }))
  }
  return results
}

const experiments: Readonly<
  Record<ExperimentName, { readonly title: string; run(around: Around): Promise<string> }>
> = {
  a: {
    title: 'A. Two bands of learning rate',
    run: async ({ lab, sizes, store, draw }) => {
      const result = await runBands(lab, store('a'), sizes.bands)
      draw('a', bandsPicture(result, sizes.bands))
      return bandsReport(result, sizes.bands)
    },
  },
  b: {
    title: 'B. Momentum as a rescaling in the large-step regime',
    run: async (around) => {
      const { lab, sizes, store, draw } = around
      const results = await overSubjects(around, (data) =>
        runRescaling(lab, store('b'), { ...data, sizes: sizes.rescaling }),
      )
      draw('b', rescalingPicture(results))
      return rescalingReport(results)
    },
  },
  c: {
    title: 'C. Momentum in the small-step regime',
    run: async ({ lab, sizes, store, draw }) => {
      const result = await runSmallStep(lab, store('c'), sizes.smallStep)
      draw('c', smallStepPicture(result))
      return smallStepReport(result)
    },
  },
  d: {
    title: 'D. The large-step phase and generalisation',
    run: async (around) => {
      const { lab, sizes, store, draw } = around
      const results = await overSubjects(around, (data) =>
        runGeneralisation(lab, store('d'), { ...data, sizes: sizes.generalisation }),
      )
      draw('d', generalisationPicture(results.flat()))
      return generalisationReport(results.flat())
    },
  },
  e: {
    title: 'E. One switch is enough',
    run: async ({ lab, sizes, store }) =>
      oneSwitchReport(await runOneSwitch(lab, store('e'), sizes.oneSwitch), sizes.oneSwitch),
  },
  buffer: {
    title: 'What the buffer should do where momentum changes, exactly',
    run: async () => bufferTable(),
  },
}

/** Runs the experiments named, with results in the folder, and gives their reports as Markdown. */
export async function runPaper(options: {
  readonly names: readonly ExperimentName[]
  readonly folder: string
  readonly sizes: PaperSizes
  readonly onMade?: (key: string) => void
}): Promise<string> {
  const { names, folder, sizes, onMade } = options
  const lab = await openLab()
  const stores = new Map<string, Store>()
  const store = (name: string): Store => {
    const open = stores.get(name) ?? openStore(join(folder, `${name}.json`), onMade)
    stores.set(name, open)
    return open
  }
  const draw = (name: ExperimentName, svg: string) => writeFileSync(join(folder, `${name}.svg`), svg)
  const reports: string[] = []
  for (const name of names) {
    const { title, run } = experiments[name]
    reports.push(`### ${title}\n\n${await run({ lab, sizes, store, draw })}`)
  }
  return reports.join('\n\n')
}

const resultsFolder = 'bench/results/paper'

/** @param args `--only a,b`, `--out FOLDER`. @throws RangeError for an experiment that there is not. */
export async function benchPaper(args: readonly string[]): Promise<void> {
  const names = optionOf(args, '--only', experimentNames.join(',')).split(',')
  for (const name of names)
    if (!(experimentNames as readonly string[]).includes(name))
      throw new RangeError(`--only must name some of ${experimentNames.join(', ')}, got ${name}`)
  const report = await runPaper({
    names: names as ExperimentName[],
    folder: optionOf(args, '--out', resultsFolder),
    sizes: paperSizes,
    onMade: (key) => console.error(key),
  })
  console.log(report)
}
