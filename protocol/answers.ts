// Checks an answer by its name, without the schema library.

import { answerShapes } from './answerShapes.ts'
import { shapeProblem } from './shape.ts'

export type AnswerName = keyof typeof answerShapes

/** Where and why a value is not that answer; undefined = it is. */
export const answerProblem = (name: AnswerName, value: unknown): string | undefined =>
  shapeProblem(answerShapes, `@${name}`, value)
