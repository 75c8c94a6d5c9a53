// Whether a run that may anneal now would memorise: the rule in rules/memorising.ts on a run's state, the reason that a
// switch by the rule has for it, and its words.

import type { DecisionTest, Evidence } from '../../../protocol/vocabulary.ts'
import { memorisingAnnealShare, overfittingDeviationsAtSwitch, transferMin } from '../../constants.ts'
import type { Block } from '../../estimators/blocks.ts'
import { offers } from '../../options.ts'
import { formatPercent, formatStep } from '../../record/sentences.ts'
import type { AnnealState, TunerState } from '../../state.ts'
import type { MarginalCost } from '../large/marginalCost.ts'
import { annealRateShare } from './annealCourse.ts'
import { type Transfer, transferOf } from './memorising.ts'
import { isOverfitting } from './overfitting.ts'

/** Undefined = there is too little to tell by, or no held-out loss is reported. */
export function transferNow(state: TunerState): Transfer | undefined {
  const { options, signals, step, phases } = state
  if (!offers(options, 'heldOutLoss')) return undefined
  const largeFromStep = phases.findLast(({ phase }) => phase === 'large')?.fromStep ?? step
  const { averagedLosses, averagedSteps, lossBlocks } = signals
  const { blockSteps } = lossBlocks
  const blocks = withNoise(state, lossBlocks.blocks)
  return transferOf({ step, largeFromStep, averagedLosses, averagedSteps, blocks, blockSteps })
}

/**
 * Training losses of an anneal as they would be at the large rate: what the anneal has taken off by now, in proportion to
 * the rate, is no learning. A valley that is level and noisy would look like memorising else.
 */
function withNoise({ anneal, budgetSteps, signals }: TunerState, blocks: readonly Block[]): readonly Block[] {
  if (anneal === null || anneal.expectedGain === null) return blocks
  const { expectedGain, fromStep } = anneal
  return blocks.map((block) => {
    const middle = block.step + signals.lossBlocks.blockSteps / 2
    if (middle <= fromStep) return block
    return { ...block, mean: block.mean + expectedGain * (1 - annealRateShare(anneal, middle, budgetSteps)) }
  })
}

/**
 * Why the rule switches. A rising valley meets it before it is plain enough to switch by itself; then an anneal to the
 * end of the budget would memorise as well. The error of the fit does not tell: a valley that turns up is no power law.
 */
export function ruleReason(state: TunerState, cost: MarginalCost): AnnealState['reason'] {
  const { options, signals } = state
  const rises = offers(options, 'heldOutLoss') && isOverfitting(signals, overfittingDeviationsAtSwitch)
  if (rises && cost.staying.value < 0) return 'overfitting'
  const endsEarly = state.budgetSteps !== null && memorisingEnd(state.step) < state.budgetSteps
  return endsEarly && transferNow(state)?.isMemorising === true ? 'memorising' : 'rule'
}

/** End of an anneal from a step on where a longer one would memorise. */
export const memorisingEnd = (step: number): number =>
  step + Math.max(2, Math.ceil(memorisingAnnealShare * step))

/** "since step 270 training loss has fallen by 25 % and held-out loss by 8 %, so a longer anneal would mostly memorise" */
export function memorisingWords(transfer: Transfer | undefined): string {
  // A person may have approved it once there is nothing to tell by any more.
  if (transfer === undefined) return 'a longer anneal would mostly memorise'
  const { fromStep, trainingFall, heldOutFall } = transfer
  const heldOut =
    heldOutFall > 0 ? `held-out loss by ${formatPercent(heldOutFall)}` : 'held-out loss has not fallen'
  return `since step ${formatStep(fromStep)} training loss has fallen by ${formatPercent(trainingFall)} and ${heldOut}, so a longer anneal would mostly memorise`
}

export const memorisingRule = { id: 'memorising', version: 1 } as const

/** The sign as a test in the record. */
export const transferTest = ({ ratio, standardError, isMemorising }: Transfer): DecisionTest => ({
  key: 'memorising',
  left: { value: ratio, standardError },
  relation: '<',
  right: { value: transferMin, standardError: null },
  satisfied: isMemorising,
  hits: { met: isMemorising ? 1 : 0, of: 1 },
  probability: null,
})

export const evidenceOfTransfer = (transfer: Transfer | undefined): readonly Evidence[] =>
  transfer === undefined
    ? []
    : [
        {
          signal: 'transfer',
          value: transfer.ratio,
          standardError: transfer.standardError,
          unit: 'ratio',
          count: transfer.probeCount,
          source:
            'fall of held-out over fall of training loss, each in shares of itself, over the last two thirds of the steps',
        },
      ]
