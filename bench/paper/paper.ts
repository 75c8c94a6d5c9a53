// `npm run bench -- paper`: experiments A to E of the record bench/records/2026-11-24-paper, which says what each asks
// and which threshold it must meet. What is in the folder's files is not trained again; B and D take their rates from
// A, and so train A first if it is not there.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { optionOf } from '../options.ts'
import { bandsReport, runBands, runRates } from './bands.ts'
import { runGeneralisation } from './generalisation.ts'
import { generalisationReport } from './generalisationReport.ts'
import { type Lab, openLab } from './lab.ts'
import { runOneSwitch } from './oneSwitch.ts'
import { oneSwitchReport } from './oneSwitchReport.ts'
import { bandsPicture, generalisationPicture } from './pictures.ts'
import { rescalingReport, runRescaling } from './rescaling.ts'
import { type PaperSizes, paperSizes } from './sizes.ts'
import { runSmallStep } from './smallStep.ts'
import { smallStepReport } from './smallStepReport.ts'
import { openStore, type Store } from './store.ts'

export const experimentNames = ['a', 'b', 'c', 'd', 'e'] as const
export type ExperimentName = (typeof experimentNames)[number]

type Around = {
  readonly lab: Lab
  readonly sizes: PaperSizes
  store(name: ExperimentName): Store
  /** Keeps a picture beside the results. */
  draw(name: ExperimentName, svg: string): void
}

async function ratesReport({ lab, sizes, store }: Around): Promise<string> {
  const { divergence, large, small } = await runRates(lab, store('a'), sizes.bands)
  const [div, big, little] = [divergence, large, small].map((rate) => rate.toPrecision(3))
  return `Rates for B and D: η_div ${div}, η_large ${big}, η_small ${little}.`
}

const experiments: Readonly<
  Record<ExperimentName, { readonly title: string; run(around: Around): Promise<string> }>
> = {
  a: {
    title: 'A. Two bands of learning rate',
    run: async (around) => {
      const { lab, sizes, store, draw } = around
      const result = await runBands(lab, store('a'), sizes.bands)
      draw('a', bandsPicture(result, sizes.bands))
      const report = bandsReport(result, sizes.bands)
      return `${report}\n\n${await ratesReport(around)}`
    },
  },
  b: {
    title: 'B. Momentum as a rescaling in the large-step regime',
    run: async ({ lab, sizes, store }) => {
      const rates = await runRates(lab, store('a'), sizes.bands)
      return rescalingReport(await runRescaling(lab, store('b'), { sizes: sizes.rescaling, rates }))
    },
  },
  c: {
    title: 'C. Momentum in the small-step regime',
    run: async ({ lab, sizes, store }) =>
      smallStepReport(await runSmallStep(lab, store('c'), sizes.smallStep)),
  },
  d: {
    title: 'D. The large-step phase and generalisation',
    run: async ({ lab, sizes, store, draw }) => {
      const rates = await runRates(lab, store('a'), sizes.bands)
      const result = await runGeneralisation(lab, store('d'), { sizes: sizes.generalisation, rates })
      draw('d', generalisationPicture(result, sizes.generalisation))
      return generalisationReport(result, sizes.generalisation)
    },
  },
  e: {
    title: 'E. One switch is enough',
    run: async ({ lab, sizes, store }) =>
      oneSwitchReport(await runOneSwitch(lab, store('e'), sizes.oneSwitch), sizes.oneSwitch),
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
  const stores = new Map<ExperimentName, Store>()
  const store = (name: ExperimentName): Store => {
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
