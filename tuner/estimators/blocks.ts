// Memory of a scalar over a run of any length: means over blocks of K steps. With a budget of T steps
// K = max(10, ⌈T/200⌉) and at most 512 blocks are kept; without one K starts at 10 and at most 256 are kept.
// When the list is full, neighbours merge and K doubles, so what is kept always spans the whole run.
// Cost: O(1) per sample (one small object; the list is copied only at a block's end).
// A block spans the steps [step, step + K) with `step` a multiple of K; steps without a sample leave gaps.
// NaN, infinite, repeated and late samples leave the state as it is.

import { type Estimator, type Rows, type Scalar, wholeOption } from './estimator.ts'

// Chosen: 200 blocks resolve half a percent of a run, and 512 blocks of three numbers stay under 64 kB as JSON.
const blockStepsMin = 10
const blocksPerBudget = 200
const blocksMaxWithBudget = 512
const blocksMaxWithoutBudget = 256

/** Mean of `count` samples in the steps from `step` on, in the sample's unit. */
export type Block = { readonly step: number; readonly mean: number; readonly count: number }
export type BlocksState = {
  readonly blockSteps: number
  readonly blocksMax: number
  readonly blocks: readonly Block[]
  /** The block being filled: its first step, mean so far, samples so far (0 = none). */
  readonly currentStep: number
  readonly currentMean: number
  readonly currentCount: number
  /** −1 before the first sample. */
  readonly lastStep: number
}

/** Length K of a block in steps; null = no budget. @throws RangeError unless it is null or a whole number ≥ 1. */
export function blockSteps(budgetSteps: number | null): number {
  if (budgetSteps === null) return blockStepsMin
  return Math.max(blockStepsMin, Math.ceil(wholeOption('budgetSteps', budgetSteps, 1) / blocksPerBudget))
}

const blocksMaxOf = (budgetSteps: number | null): number =>
  budgetSteps === null ? blocksMaxWithoutBudget : blocksMaxWithBudget

export const blocks = {
  init: (budgetSteps: number | null): BlocksState => ({
    blockSteps: blockSteps(budgetSteps),
    blocksMax: blocksMaxOf(budgetSteps),
    blocks: [],
    currentStep: 0,
    currentMean: 0,
    currentCount: 0,
    lastStep: -1,
  }),
  update(state: BlocksState, { step, value }: Scalar): BlocksState {
    if (!Number.isFinite(value) || !Number.isSafeInteger(step) || step <= state.lastStep) return state
    let open = state
    // Twice at most: closing may double K and so reopen the last block, which the new step may have left too.
    while (open.currentCount > 0 && step >= open.currentStep + open.blockSteps) open = closed(open)
    const currentCount = open.currentCount + 1
    const currentMean = open.currentMean + (value - open.currentMean) / currentCount
    if (!Number.isFinite(currentMean)) return state
    const next = {
      blockSteps: open.blockSteps,
      blocksMax: open.blocksMax,
      blocks: open.blocks,
      currentStep: step - (step % open.blockSteps),
      currentMean,
      currentCount,
      lastStep: step,
    }
    // The last step of a block closes it at once: what is complete should not wait for the next step.
    return step === next.currentStep + next.blockSteps - 1 ? closed(next) : next
  },
  read: (state: BlocksState) => state.blocks,
} satisfies Estimator<BlocksState, Scalar>

/** The last step of the block that is being filled, or would be from a step on. */
export function blockEnd({ currentStep, currentCount, blockSteps }: BlocksState, step: number): number {
  return (currentCount > 0 ? currentStep : step - (step % blockSteps)) + blockSteps - 1
}

/** Many at once: finite values at steps that rise, from above the last one on; all but the last come before `blockEnd`. */
export function filledOver(
  state: BlocksState,
  steps: readonly number[],
  values: readonly (number | null)[],
  { from, to, origin }: Rows & { readonly origin: number },
): BlocksState {
  const last = to - 1
  let { currentMean, currentCount, lastStep } = state
  for (let i = from; i < last; i++) {
    const mean = currentMean + (values[i]! - currentMean) / (currentCount + 1)
    if (!Number.isFinite(mean)) continue
    currentCount++
    currentMean = mean
    lastStep = steps[i]! - origin
  }
  const open = {
    blockSteps: state.blockSteps,
    blocksMax: state.blocksMax,
    blocks: state.blocks,
    currentStep: lastStep === state.lastStep ? state.currentStep : lastStep - (lastStep % state.blockSteps),
    currentMean,
    currentCount,
    lastStep,
  }
  return blocks.update(open, { step: steps[last]! - origin, value: values[last]! })
}

/**
 * The state under another budget: a longer one merges blocks until their length is at least `blockSteps` of
 * it; a shorter one keeps them, as they cannot be split, but for a first one that is not as long yet.
 */
export function withBudget(state: BlocksState, budgetSteps: number | null): BlocksState {
  const wanted = blockSteps(budgetSteps)
  const blocksMax = blocksMaxOf(budgetSteps)
  const isFirst = state.blocks.length === 0 && state.lastStep < wanted
  let next: BlocksState = { ...state, blocksMax, blockSteps: isFirst ? wanted : state.blockSteps }
  while (next.blockSteps < wanted || next.blocks.length >= blocksMax) next = merged(next)
  return next
}

/** The state as it was at a step, whole blocks of it: for a run that goes on from an earlier step. */
export const blocksBackTo = (state: BlocksState, step: number): BlocksState => ({
  ...state,
  blocks: state.blocks.filter((block) => block.step + state.blockSteps <= step),
  currentMean: 0,
  currentCount: 0,
  lastStep: step - 1,
})

/** The current block moved to the complete ones; the list is halved first where it is full. */
function closed(state: BlocksState): BlocksState {
  const block = { step: state.currentStep, mean: state.currentMean, count: state.currentCount }
  let next: BlocksState = { ...state, blocks: [...state.blocks, block], currentMean: 0, currentCount: 0 }
  while (next.blocks.length >= next.blocksMax) next = merged(next)
  return next
}

/** Blocks twice as long. An open current block takes back its complete neighbour, if it now shares a block. */
function merged(state: BlocksState): BlocksState {
  const length = state.blockSteps * 2
  const current = { step: state.currentStep, mean: state.currentMean, count: state.currentCount }
  const blocks: Block[] = []
  for (const block of [...state.blocks, current]) {
    const step = block.step - (block.step % length)
    const last = blocks.at(-1)
    if (last?.step === step) blocks[blocks.length - 1] = union(last, block)
    else if (block.count > 0) blocks.push({ ...block, step })
  }
  // A block that the run has only half filled is not complete: it becomes the current one again.
  const isOpen = blocks.length > 0 && blocks.at(-1)!.step + length > state.lastStep + 1
  const { step, mean, count } = isOpen ? blocks.pop()! : { step: 0, mean: 0, count: 0 }
  return { ...state, blockSteps: length, blocks, currentStep: step, currentMean: mean, currentCount: count }
}

/** Both blocks' samples in one; an empty one changes nothing. */
function union(a: Block, b: Block): Block {
  const count = a.count + b.count
  return count === 0 ? a : { step: a.step, mean: a.mean + (b.mean - a.mean) * (b.count / count), count }
}
