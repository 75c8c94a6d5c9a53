// What waiting for a person took: the steps since a decision was proposed, and, where the fitted valley tells, what they
// cost of the final loss: that of an anneal from now less that of one from then, on the same curve. Below 0 it gained.

import type { Evidence } from '../../../protocol/vocabulary.ts'
import { formatNumber, formatPlural } from '../../record/sentences.ts'
import type { Proposal, TunerState } from '../../state.ts'
import { isShort } from '../anneal/annealCourse.ts'
import { costInputOf, judgementNow } from './judgement.ts'
import { waitingLoss } from './marginalCost.ts'

export function waitingOf(
  state: TunerState,
  proposal: Proposal,
): { readonly words: string; readonly evidence: readonly Evidence[] } {
  const steps = Math.max(0, state.step - proposal.step)
  const { reading, gain } = judgementNow(state)
  const input = costInputOf(state, reading, gain)
  // A valley that turns up is no power law, and its anneal does not go to the end of the budget that the curve is for.
  const loss = input === undefined || isShort(proposal.reason) ? null : waitingLoss(input, proposal.step)
  const took = `Waiting took ${formatPlural(steps, 'step')}`
  const common = { standardError: null, count: steps }
  const waited = { ...common, signal: 'stepsWaited', value: steps, unit: 'steps', source: 'approval' }
  if (loss === null) return { words: `${took}; what they cost is not known.`, evidence: [waited] }
  const verb = loss >= 0 ? 'cost' : 'gained'
  return {
    words: `${took} and, by the fitted curve, ${verb} ${formatNumber(Math.abs(loss))} of the final loss.`,
    evidence: [
      waited,
      { ...common, signal: 'waitingCost', value: loss, unit: 'loss', source: 'fitted valley' },
    ],
  }
}
