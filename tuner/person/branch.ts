// A branch: the job anneals a copy of the present state, on a person's word, and the run goes on as it was. So what is asked, told
// and answered here moves neither course nor plan nor clock (settle.ts, `beside`), and the run decides as if nobody had asked: its
// actions have ids of their own, because those of the run are numbered in the order in which they are asked.
// See docs/decisions/0029-branch.md.

import { segmentsRate } from '../../protocol/plan.ts'
import type { Acknowledgement, Action, Command } from '../../protocol/vocabulary.ts'
import { isSteering, offers } from '../options.ts'
import { annealedLoss } from '../phases/forecasts.ts'
import { judgementNow } from '../phases/judgement.ts'
import type { Beside, Draft, Run } from '../phases/phase.ts'
import { elapsedOf } from '../plan/bounds.ts'
import { annealShape } from '../plan/segments.ts'
import { evidenceOf } from '../record/evidence.ts'
import type { BranchRun } from '../state.ts'

/** Copies of one run, but for those that failed: a job may keep the weights of each. Chosen. */
export const branchesMax = 16
/** Where no length is given a branch takes this share of the steps so far: in turn the run stands still for it. Chosen. */
const branchShare = 0.25

type Asked = Extract<Command, { kind: 'branch' }>
type BranchAction = Extract<Action, { kind: 'branch' }>
type Refusal = { readonly reason: string; readonly values?: Draft['values']; readonly text?: string }

const openBranch = ({ branches }: Run): BranchRun | undefined =>
  branches.find(({ state }) => state === 'asked')

/** A person's wish for one: asked of the job, or answered by a record that says why not. */
export function branched(run: Run, command: Asked): Beside {
  const refusal = refusalOf(run, command)
  return refusal === null ? begun(run, command) : noted(run, command, refusal)
}

function noted(run: Run, { by, reason }: Asked, refusal: Refusal): Beside {
  const { text, values } = refusal
  const person = { by, reason }
  const common = { kind: 'hold', rule: 'person', person } as const
  return { records: [{ ...common, ...refusal, text, values: { step: run.seen.step, ...values } }] }
}

/** Why there can be none now; null = there can. */
function refusalOf(run: Run, { steps }: Asked): Refusal | null {
  const { course, mode, options, person, seen, trajectory, branches } = run
  if (course.kind === 'done') return { reason: 'noted-ended' }
  if (!offers(options, 'branch')) return { reason: 'noted-branch-not-offered' }
  if (!isSteering(mode)) return { reason: 'noted-branch-not-steered', text: mode }
  if (course.kind === 'anneal') return { reason: 'noted-annealing' }
  if (course.kind === 'search') return { reason: 'noted-branch-racing' }
  if (person.isPaused) return { reason: 'noted-branch-paused' }
  if (trajectory.awaited !== null) return { reason: 'noted-branch-restoring' }
  if (course.ramp !== null && course.ramp.toStep > seen.step)
    return { reason: 'noted-branch-climbing', values: { toStep: course.ramp.toStep } }
  const open = openBranch(run)
  if (open !== undefined) return { reason: 'noted-branch-open', values: { fromStep: open.fromStep } }
  if (branches.filter(({ state }) => state === 'done').length >= branchesMax)
    return { reason: 'noted-branch-full', values: { count: branchesMax } }
  const most = elapsedOf(run)
  const wanted = steps ?? 2
  return wanted > most ? { reason: 'noted-branch-too-long', values: { steps: wanted, most } } : null
}

function begun(run: Run, { by, reason, steps }: Asked): Beside {
  const { seen, plan, branchCount, decisionCount } = run
  const judgement = judgementNow(run)
  const taken = elapsedOf(run)
  const length = steps ?? Math.max(2, Math.ceil(branchShare * taken))
  const fromStep = seen.step
  const id = `b-${branchCount + 1}`
  const promised = annealedLoss(run, judgement.reading, { switchStep: fromStep, toStep: fromStep + length })
  const branch: BranchRun = {
    actionId: id,
    number: decisionCount + 1,
    fromStep,
    steps: length,
    state: 'asked',
    loss: null,
    promised,
  }
  const shape = annealShape(length, taken + length)
  return {
    branches: [...withRoom(run.branches), branch],
    branchCount: branchCount + 1,
    actions: [...run.actions, { id, kind: 'branch', atStep: fromStep, steps: length, shape }],
    records: [
      {
        kind: 'branch',
        rule: 'person',
        reason: 'branch-begun',
        values: { fromStep, steps: length, rate: segmentsRate(plan.segments, fromStep) },
        evidence: evidenceOf(judgement),
        person: { by, reason },
        promised,
      },
    ],
  }
}

/** Those that failed make room first; where none has, there is room, as no more are made than are kept. */
function withRoom(branches: readonly BranchRun[]): readonly BranchRun[] {
  if (branches.length < branchesMax) return branches
  const failed = branches.findIndex(({ state }) => state === 'failed')
  return branches.filter((_, i) => i !== failed)
}

/** What the job says of it. `actions` are those that are left. */
export function branchAnswered(
  run: Run,
  action: BranchAction,
  { status, detail, branch }: Acknowledgement,
): Beside {
  const open = openBranch(run)
  if (open?.actionId !== action.id) return { records: [] }
  if (status !== 'done') return endedBy(run, open, { reason: 'branch-failed', text: detail })
  const { fromStep = open.fromStep, steps = open.steps } = branch ?? {}
  const told = branch?.loss ?? null
  const loss = Number.isFinite(told) ? told : null
  const { number, promised } = open
  const isBroken = told !== null && loss === null
  return {
    branches: replaced(run, { ...open, fromStep, steps, loss, state: 'done' }),
    records: [
      {
        kind: 'branch',
        rule: 'person',
        reason: isBroken ? 'branch-broken' : 'branch-reached',
        values: { number, fromStep, steps, loss },
        promised,
        reached: loss,
      },
    ],
  }
}

/** The job that was at it is gone, or the run has ended before it; null = there is none. */
export function branchLeft(run: Run, reason: 'branch-lost' | 'branch-left'): Beside | null {
  const open = openBranch(run)
  if (open === undefined) return null
  return {
    ...endedBy(run, open, { reason }),
    actions: run.actions.filter(({ id }) => id !== open.actionId),
  }
}

const replaced = ({ branches }: Run, by: BranchRun): readonly BranchRun[] =>
  branches.map((branch) => (branch.actionId === by.actionId ? by : branch))

function endedBy(run: Run, open: BranchRun, { reason, text }: Pick<Draft, 'reason' | 'text'>): Beside {
  const { number, fromStep, steps } = open
  return {
    branches: replaced(run, { ...open, state: 'failed' }),
    records: [{ kind: 'branch', rule: 'person', reason, text, values: { number, fromStep, steps } }],
  }
}
