// The models by name.

import { createCnn } from './cnn.ts'
import { createMlp } from './mlp.ts'
import type { Model, ModelShape } from './model.ts'

export const modelNames = ['mlp', 'cnn'] as const
export type ModelName = (typeof modelNames)[number]

const makers: Readonly<Record<ModelName, (shape: ModelShape) => Model>> = { mlp: createMlp, cnn: createCnn }

/** How many widths each model takes: hidden layers of an MLP, convolutions of a CNN. */
const widthCounts: Readonly<Record<ModelName, { readonly from: number; readonly to: number }>> = {
  mlp: { from: 1, to: 4 },
  cnn: { from: 2, to: 2 },
}
/** Units or filters of one layer at most. */
export const widthMax = 4_096

/** What is allowed as widths of a model, if these are not; undefined = they are. */
export function widthsAllowed(name: ModelName, widths: readonly number[]): string | undefined {
  const { from, to } = widthCounts[name]
  const isWidth = (width: number) => Number.isInteger(width) && width >= 1 && width <= widthMax
  if (widths.length >= from && widths.length <= to && widths.every(isWidth)) return undefined
  return `${from === to ? from : `${from} to ${to}`} whole numbers from 1 to ${widthMax} for the ${name}`
}

/** @throws RangeError for widths that the model cannot have, and for a CNN on what is no image. */
export function createModel(name: ModelName, shape: ModelShape): Model {
  const allowed = shape.widths && widthsAllowed(name, shape.widths)
  if (allowed !== undefined)
    throw new RangeError(`widths must be ${allowed}, got ${shape.widths?.join(',') || 'none'}`)
  if (name === 'cnn' && shape.encoding?.kind === 'oneHot')
    throw new RangeError('model must be mlp for a task of characters, got cnn')
  return makers[name](shape)
}
