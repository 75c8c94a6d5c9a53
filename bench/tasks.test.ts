import { describe, expect, it } from 'vitest'
import { parseOptions } from '../trainer/options.ts'
import { benchTask, benchTasks, jobOf } from './tasks.ts'

describe('the task matrix', () => {
  it.each(benchTasks.map((task) => [task.name, task] as const))(
    '%s has a grid around its default',
    (_, task) => {
      expect(task.rateGrid).toContain(task.defaultRate)
      const ratios = task.rateGrid.slice(1).map((rate, index) => rate / task.rateGrid[index]!)
      for (const ratio of ratios) expect(ratio).toBeCloseTo(3.2, 0)
      expect(task.seeds.length).toBeGreaterThanOrEqual(3)
      // The trainer takes its names and widths.
      const widths = task.widths.join(',')
      expect(
        parseOptions(['--task', task.task, '--model', task.model, '--widths', widths], {}),
      ).toMatchObject({ task: task.task, widths: task.widths })
    },
  )
  it('makes jobs', () => {
    const job = jobOf(benchTask('noise'), { seed: 2, learningRate: 0.1 })
    expect(job).toMatchObject({
      task: 'fashion',
      seed: 2,
      learningRate: 0.1,
      labelNoise: 0.3,
      budgetSteps: 3_000,
    })
    expect(job).not.toHaveProperty('rateGrid')
    expect(() => benchTask('none')).toThrow('task must be one of fashion, noise, mnist, digits, cnn, text')
  })
})
