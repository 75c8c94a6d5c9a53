// The models by name.

import { createCnn } from './cnn.ts'
import { createMlp } from './mlp.ts'
import type { Model, ModelShape } from './model.ts'

export const modelNames = ['mlp', 'cnn'] as const
export type ModelName = (typeof modelNames)[number]

const makers: Readonly<Record<ModelName, (shape: ModelShape) => Model>> = { mlp: createMlp, cnn: createCnn }

export const createModel = (name: ModelName, shape: ModelShape): Model => makers[name](shape)
