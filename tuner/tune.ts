// The decision engine as one pure function: tune(state, observation) → what the state becomes, which decisions
// were made, what is charted. No time, no chance, no input or output: the same log gives the same decisions
// byte for byte, wherever it is folded. Each kind of observation has its own file in fold/: it cleans what came, feeds signals
// and guard, asks the phase, and settles the answer. Cost: O(1) per sample, under 2 ms per probe.

import type { Command, Observation } from '../protocol/vocabulary.ts'
import { foldAcknowledgement } from './fold/acknowledgements.ts'
import { foldProbe } from './fold/probes.ts'
import { foldSamples } from './fold/samples.ts'
import { begun, resumed } from './fold/start.ts'
import { branched } from './person/branch.ts'
import { obeyed } from './person/commands.ts'
import { beside, settle, type Turn } from './settle.ts'
import type { TuneResult, TunerState } from './state.ts'

/** Folds one observation. Never throws on what a run can send; observations come in the order of their numbers. */
export function tune(state: TunerState, observation: Observation): TuneResult {
  const turn = folded({ observation, state, decisions: [], readings: [] })
  return { state: turn.state, decisions: turn.decisions, readings: turn.readings }
}

function folded(turn: Turn): Turn {
  const { observation } = turn
  switch (observation.kind) {
    case 'start':
      return begun(turn, observation)
    case 'samples':
      return foldSamples(turn, observation)
    case 'probe':
      return foldProbe(turn, observation.probe)
    case 'acknowledgement':
      return foldAcknowledgement(turn, observation.acknowledgement)
    case 'command':
      return commanded(turn, observation.command)
    case 'resumed':
      return resumed(turn)
  }
}

const commanded = (turn: Turn, command: Command): Turn =>
  command.kind === 'branch'
    ? beside(turn, branched(turn.state, command))
    : settle(turn, obeyed(turn.state, command))
