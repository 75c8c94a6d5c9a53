// `node dist/trainer/backends/native/report.js [--json] [--try]`: the facts about native TensorFlow, for `twostep doctor`
// (which belongs to the server's room and therefore asks by starting this) and for a person. `--try` also loads each
// variant that is set up and trains a step with it.

import { parseArgs } from 'node:util'
import { factSentences, readNativeFacts } from './doctor.ts'
import { whyNotInstalled } from './installation.ts'
import { nativePlaces } from './loadNative.ts'
import { type Variant, variants } from './pins.ts'
import { thisSystem } from './system.ts'
import { tryApart, tryHere } from './trial.ts'

const options = {
  json: { type: 'boolean' },
  try: { type: 'boolean' },
  // For trial.ts: load this variant in this very process and print the outcome.
  'try-here': { type: 'string' },
} as const

async function main(): Promise<void> {
  const { values } = parseArgs({ options })
  const here = values['try-here']
  if (here !== undefined) {
    const variant = variants.find((name) => name === here)
    if (variant === undefined)
      throw new RangeError(`--try-here must be one of ${variants.join(', ')}, got ${here}`)
    process.stdout.write(`${JSON.stringify(await tryHere(variant))}\n`)
    return
  }
  const places = nativePlaces()
  const tried: readonly Variant[] = values.try
    ? variants.filter((variant) => whyNotInstalled(places[variant]) === undefined)
    : []
  const trials = Object.fromEntries(tried.map((variant) => [variant, tryApart(variant)]))
  const facts = readNativeFacts(thisSystem(), places, trials)
  process.stdout.write(`${values.json ? JSON.stringify(facts) : factSentences(facts).join('\n')}\n`)
}

try {
  await main()
} catch (cause) {
  process.stderr.write(`${(cause as Error).message}\n`)
  process.exitCode = 2
}
