// `npm run bench [-- name]`: runs one benchmark, or lists them. Each prints a table, or with `--json` one line.

import { benchAutopilot } from './autopilot.ts'
import { benchBackends } from './backends.ts'
import { benchClient } from './client/main.ts'
import { benchDecisions } from './decisions/main.ts'
import { benchDemo } from './demo.ts'
import { benchFinish } from './finish/main.ts'
import { benchForecasts } from './forecasts/main.ts'
import { benchGuard } from './guard/main.ts'
import { benchIngest } from './ingest.ts'
import { benchMany } from './many.ts'
import { benchPaper } from './paper/paper.ts'
import { benchPictures } from './pictures/main.ts'
import { benchPublicLogs } from './publicLogs/main.ts'
import { benchHeld } from './readers/held.ts'
import { benchReaders } from './readers/main.ts'
import { benchRegime } from './regime/main.ts'
import { benchReplicas } from './replicas.ts'
import { benchSearch } from './search.ts'
import { benchSignalCost } from './signalCost.ts'
import { benchSimulation } from './simulation/main.ts'
import { benchSoak } from './soak.ts'
import { benchStopping } from './stopping.ts'
import { benchTraces } from './traces/main.ts'
import { benchTuner } from './tuner.ts'

const benches: Readonly<
  Record<string, { readonly what: string; run(args: readonly string[]): Promise<void> }>
> = {
  autopilot: {
    what: 'PyTorch jobs through the Python client, against what a user would pick (hours)',
    run: benchAutopilot,
  },
  tuner: { what: 'samples a second through the decision engine, and the size of its state', run: benchTuner },
  ingest: {
    what: 'steps a second into the server, beside a bare SQLite insert of the same rows',
    run: benchIngest,
  },
  many: {
    what: 'what a batch and the memory take with 10,000 runs, of which 50 or 1,000 report at once (Linux)',
    run: benchMany,
  },
  client: {
    what: 'what a person at the page waits for, in Chromium: first picture, zoom, live, list, bytes (20 minutes)',
    run: benchClient,
  },
  sim: {
    what: 'simulated histories of jobs, server and network that fail; a seed, or `--seeds N` (`npm run sim`)',
    run: benchSimulation,
  },
  replicas: {
    what: 'servers on one PostgreSQL that are killed one after another while jobs report (`--kills N`; 1.5 s each)',
    run: benchReplicas,
  },
  soak: {
    what: 'a server that is worked for an hour or more (`--minutes N`): memory, answers, and what is there after a kill',
    run: benchSoak,
  },
  readers: {
    what: 'what a job and /healthz meet while readers ask in loops for a signal of a run of 200 metrics',
    run: benchReaders,
  },
  held: {
    what: 'what a job and /healthz meet beside 2,000 half-open requests and 60 bodies that stop on their way',
    run: benchHeld,
  },
  backends: {
    what: 'ms a step by backend and model, beside PyTorch; what signals and probes take',
    run: benchBackends,
  },
  paper: {
    what: 'the claims of the two-regimes paper on our own trainer: experiments A to E',
    run: benchPaper,
  },
  cost: { what: 'which part of a steered run goes to signals and probes', run: benchSignalCost },
  demo: { what: "the demo's run against a constant rate and a fixed anneal, three seeds", run: benchDemo },
  decisions: {
    what: 'regret of the decisions to the best choice, from the traces, beside rivals (a minute)',
    run: benchDecisions,
  },
  'public-logs': {
    what: "when language models' public logs would be annealed, beside their best cooldown (--data FOLDER)",
    run: benchPublicLogs,
  },
  forecasts: {
    what: 'forecasts of the final loss and stated probabilities against what came, on left-out tasks',
    run: benchForecasts,
  },
  regime: {
    what: 'the regime index against the ground truth of forks, from the traces, and on runs of known regime',
    run: benchRegime,
  },
  guard: {
    what: 'how often the guard takes a healthy run for a diverged one, and how soon it sees one, simulated',
    run: benchGuard,
  },
  finish: {
    what: 'how often a healthy run is ended early, and an overfitting one, simulated and on real runs',
    run: benchFinish,
  },
  pictures: { what: 'the pictures of docs/DECISIONS.md, from two steered runs', run: benchPictures },
  search: { what: 'steered runs from good, bad and no rates, beside fixed plans', run: benchSearch },
  traces: {
    what: 'trains the task matrix and keeps traces with their ground truth (hours)',
    run: benchTraces,
  },
  stopping: {
    what: 'how often a run without a budget is ended though it still gains, and how soon where it does not, simulated',
    run: benchStopping,
  },
}

const [name, ...args] = process.argv.slice(2)
const bench = name === undefined ? undefined : benches[name]
if (bench === undefined) {
  const list = Object.entries(benches).map(([key, { what }]) => `  ${key.padEnd(11)} ${what}`)
  console.log(`Usage: npm run bench -- <name> [--json]\n${list.join('\n')}`)
  process.exitCode = name === undefined ? 0 : 2
} else await bench.run(args)
