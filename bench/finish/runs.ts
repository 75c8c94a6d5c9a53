// Which jobs are simulated: every course under every kind and size of validation noise, with all else drawn by the seed, and
// what came of them. Seeds from 1 on are those that are judged; constants may be chosen on others only.

import { random } from '../../tuner/testing/random.ts'
import { type CourseKind, hardCourses, healthyCourses, overfittingCourses } from './courses.ts'
import { type Ended, type Evaluation, isCut, type JobSetting, simulated } from './simulate.ts'
import { type ValidationKind, validationKinds, validationScatters } from './validation.ts'

const budgets = [400, 800, 1_500, 3_000, 6_000, 10_000, 20_000] as const
const averagesShare = 0.7
const checkpointsShare = 0.5
const weightNoiseMax = 0.3
const [batchNoiseMin, batchNoiseMax] = [0.05, 0.4]
/** Steps after which a run without a budget is no longer watched. */
const openSteps = 10_000
/** A run is done early if it ends by this share of its budget. */
export const earlyShare = 0.6

export const groups = ['healthy', 'healthy, no budget', 'hard', 'overfitting'] as const
export type Group = (typeof groups)[number]

export type SimulatedRun = {
  readonly group: Group
  readonly course: string
  readonly setting: JobSetting
  readonly ended: Ended
  readonly isCut: boolean
  readonly isEarly: boolean
}

/** A run before its seed has drawn the rest. */
export type Planned = {
  readonly group: Group
  readonly kind: CourseKind
  readonly validation: ValidationKind
  readonly scatter: number
}

const coursesOf: Readonly<Record<Group, readonly CourseKind[]>> = {
  healthy: healthyCourses,
  'healthy, no budget': healthyCourses,
  hard: hardCourses,
  overfitting: overfittingCourses,
}
/** Groups do not share seeds. */
const seedsApart = 1_000_000
/** How often each course meets each noise. */
const repeats: Readonly<Record<Group, number>> = {
  healthy: 2,
  'healthy, no budget': 1,
  hard: 2,
  overfitting: 3,
}

export function planned(group: Group): Planned[] {
  return coursesOf[group].flatMap((kind) =>
    validationKinds.flatMap((validation) =>
      validationScatters.flatMap((scatter) =>
        Array.from({ length: repeats[group] }, () => ({ group, kind, validation, scatter })),
      ),
    ),
  )
}

export function simulatedRun({ group, kind, validation, scatter }: Planned, seed: number): SimulatedRun {
  const draw = random(seed)
  const oneOf = <T>(values: readonly T[]): T => values[Math.floor(draw() * values.length)]!
  const isOpen = group === 'healthy, no budget'
  const drawnSteps = oneOf(budgets)
  const lengthSteps = isOpen ? openSteps : drawnSteps
  const evaluation = oneOf<Evaluation>(['often', 'often', 'rarely', lengthSteps / 50, lengthSteps / 20])
  const setting: JobSetting = {
    budgetSteps: isOpen ? null : lengthSteps,
    lengthSteps,
    hasAverages: draw() < averagesShare,
    hasCheckpoints: draw() < checkpointsShare,
    evaluation: typeof evaluation === 'number' ? Math.max(1, Math.round(evaluation)) : evaluation,
    weightNoise: weightNoiseMax * draw(),
    batchNoise: batchNoiseMin + (batchNoiseMax - batchNoiseMin) * draw(),
    validation,
    scatter,
    seed,
  }
  const ended = simulated(kind.create(draw), setting)
  const isEarly = ended.endStep <= earlyShare * lengthSteps
  return { group, course: kind.name, setting, ended, isCut: isCut(ended, setting), isEarly }
}

/** All runs of a group. `rounds` of them, each with seeds of its own from `firstSeed` on. */
export function simulatedRuns(
  group: Group,
  { firstSeed, rounds }: { readonly firstSeed: number; readonly rounds: number },
): SimulatedRun[] {
  const each = planned(group)
  const offset = groups.indexOf(group) * seedsApart
  return Array.from({ length: rounds }, (_, round) =>
    each.map((entry, i) => simulatedRun(entry, firstSeed + offset + round * each.length + i)),
  ).flat()
}
