// Shapes (shape.ts) of schemas: what the page checks answers by, made from their JSON schemas. Run by the test that keeps
// answerShapes.ts up to date, and by nothing else.

import { z } from 'zod'
import type { Shape } from '../shape.ts'

type Json = {
  readonly type?: string | readonly string[]
  readonly $ref?: string
  readonly const?: string | boolean
  readonly enum?: readonly string[]
  readonly anyOf?: readonly Json[]
  readonly oneOf?: readonly Json[]
  readonly items?: Json
  readonly properties?: Readonly<Record<string, Json>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Json
}

const words: Readonly<Record<string, Shape>> = {
  number: 'n',
  integer: 'n',
  string: 's',
  boolean: 'b',
  null: '0',
}

function objectShape({ properties, required = [], additionalProperties }: Json): Shape {
  if (properties === undefined) return { '*': shapeOf(additionalProperties ?? {}) }
  const fields = Object.entries(properties).map(([name, field]) => [
    required.includes(name) ? name : `${name}?`,
    shapeOf(field),
  ])
  return Object.fromEntries(fields)
}

function shapeOf(json: Json): Shape {
  if (json.$ref !== undefined) return `@${json.$ref}`
  const { type } = json
  const several =
    json.anyOf ??
    json.oneOf ??
    (typeof type === 'object' ? type.map((one) => ({ ...json, type: one })) : undefined)
  if (several !== undefined) return several.map(shapeOf)
  if (typeof json.const === 'boolean') return json.const ? '!1' : '!0'
  const named = json.enum ?? (typeof json.const === 'string' ? [json.const] : undefined)
  if (named !== undefined) return `=${named.join('|')}`
  if (json.type === 'array') return [shapeOf(json.items ?? {})]
  if (json.type === 'object') return objectShape(json)
  const word = words[type as string]
  if (word === undefined) throw new RangeError(`no shape for ${JSON.stringify(json)}`)
  return word
}

const namesIn = (shape: Shape): string[] =>
  [...JSON.stringify(shape).matchAll(/"@(\w+)"/g)].map(([, name]) => name!)

/** The shapes of these schemas, which carry an id, and of all that they refer to. */
export function shapesOf(roots: readonly z.ZodType[]): Record<string, Shape> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    io: 'input',
    unrepresentable: 'any',
    uri: (id) => id,
  })
  const shapes: Record<string, Shape> = {}
  const waiting = roots.map((root) => z.globalRegistry.get(root)!.id!)
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (Object.hasOwn(shapes, name)) continue
    const shape = shapeOf(schemas[name] as Json)
    shapes[name] = shape
    waiting.push(...namesIn(shape))
  }
  return shapes
}
