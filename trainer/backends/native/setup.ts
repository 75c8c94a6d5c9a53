// `twostep setup-tensorflow --cpu | --gpu`: everything from nothing to a training step on native TensorFlow.
// Exit status 0 = set up and tried, 1 = could not (sentences say what is missing), 2 = wrong usage.

import { main } from './setupSteps.ts'

process.exitCode = await main(process.argv.slice(2))
