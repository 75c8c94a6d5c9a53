// Fitting on all tasks but one: for each task the candidate that costs least on average on all the others.

export type TaskCosts = {
  readonly task: string
  /** What each candidate costs on this task, in one order for all tasks. */
  readonly costs: readonly number[]
}

/** Index of the candidate for each task; ties go to the first, which should be the one in force. */
export function leaveOneOut(tasks: readonly TaskCosts[]): Map<string, number> {
  return new Map(
    tasks.map(({ task, costs }) => {
      const others = tasks.filter((other) => other.task !== task)
      const sums = costs.map((_, index) => others.reduce((sum, other) => sum + other.costs[index]!, 0))
      return [task, sums.indexOf(Math.min(...sums))]
    }),
  )
}
