// What the schemas are made of: text within bounds, ids, steps, rates, columns, and numbers that may be non-finite.

import { z } from 'zod'
import { limits } from '../limits.ts'
import { decodeNumber, nonFiniteNames } from '../nonFinite.ts'
import { shown } from '../shown.ts'

/** A parsed message as everybody may hold it: nothing in it can be changed. */
export type DeepReadonly<T> = T extends readonly (infer Entry)[]
  ? readonly DeepReadonly<Entry>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T

/** The type of a schema's parsed messages. */
export type Parsed<Schema extends z.ZodType> = DeepReadonly<z.output<Schema>>

export const text = (max: number = limits.textCharactersMax) => z.string().max(max)
export const name = z.string().min(1).max(limits.nameCharactersMax)
/** A word that programs compare and people do not read, such as `marginal-cost`. */
export const key = z.string().min(1).max(limits.keyCharactersMax)
export const step = z.int().min(0).max(limits.stepMax)
/** A step as the server tells it: the next one, and plans, lie beyond the last that a job can report. */
export const toldStep = z.int().min(0)
export const count = z.int().min(0)
export const finite = z.number()
export const rate = z.number().min(0)
export const seconds = z.number().min(0)
export const share = z.number().min(0).max(1)
/** ISO 8601, UTC. */
export const time = z.string()

/** A whole number of a query, which comes as text: in digits, and not in all that JavaScript takes for a number. */
export const queryNumber = (min: number, max: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d{1,20}(\.\d+)?$/.test(value) ? Number(value) : value),
    z.number().int().min(min).max(max),
  )

/** A run's id: 1 to 128 characters of letters, digits, dot, underscore, hyphen; `import` is an address of its own. */
export const runIdSchema = z
  .string()
  .regex(
    /^(?!import$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    'must be 1 to 128 letters, digits, ".", "_" or "-", starting with a letter or digit, and not "import"',
  )
  .meta({ id: 'RunId' })

/** A wire number that may be non-finite. */
export const looseNumber = z
  .union([z.number(), z.enum(nonFiniteNames)])
  .transform((value) => decodeNumber(value) as number)

/** A column of any entries: one loop instead of a schema per element, because this is the hot path. */
function columnOf<Entry>(
  decode: (value: unknown) => Entry | undefined,
  must: string,
  told: { readonly id: string; readonly items: object; readonly description?: string },
) {
  return z
    .custom<unknown[]>(() => true)
    .transform((values, context) => {
      if (!Array.isArray(values)) {
        context.addIssue({ code: 'invalid_type', expected: 'array', input: values })
        return z.NEVER
      }
      if (values.length > limits.batchStepsMax) {
        const maximum = limits.batchStepsMax
        context.addIssue({ code: 'too_big', origin: 'array', maximum, inclusive: true, input: values })
        return z.NEVER
      }
      for (let i = 0; i < values.length; i++) {
        const decoded = decode(values[i])
        if (decoded === undefined) {
          context.addIssue({
            code: 'custom',
            path: [i],
            message: `must be ${must}, got ${shown(values[i], 60)}`,
          })
          return z.NEVER
        }
        if (decoded !== values[i]) values[i] = decoded
      }
      return values as Entry[]
    })
    .meta({ type: 'array', maxItems: limits.batchStepsMax, ...told })
}

/** A schema as the contract tells it within another one: by its id, or in full. */
function described(schema: z.ZodType): object {
  const id = z.globalRegistry.get(schema)?.id
  if (id !== undefined) return { $ref: `#/components/schemas/${id}` }
  const { $schema: _schema, ...inner } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return inner
}

/** Entries of a map whose faults are told; the rest of them is not looked at. */
const faultsMax = 20

/**
 * A map from names to values. Names are data: `__proto__`, which zod's own record leaves out, is one like any other. Entries are
 * counted before they are looked at.
 */
export const recordOf = <Value extends z.ZodType>(
  values: Value,
  { entriesMax, called = 'entries' }: { readonly entriesMax?: number; readonly called?: string } = {},
) =>
  z
    .custom<Record<string, z.input<Value>>>(() => true)
    .transform((given, context) => {
      if (typeof given !== 'object' || given === null || Array.isArray(given)) {
        context.addIssue({ code: 'invalid_type', expected: 'record', input: given })
        return z.NEVER
      }
      const keys = Object.keys(given)
      if (entriesMax !== undefined && keys.length > entriesMax) {
        context.addIssue({ code: 'custom', message: `must hold at most ${entriesMax} ${called}` })
        return z.NEVER
      }
      let faults = 0
      const entries: (readonly [string, z.output<Value>])[] = []
      for (const key of keys) {
        const { data, error } = values.safeParse(given[key])
        const issues = error?.issues ?? []
        const all = name.safeParse(key).success ? issues : [nameIssue(key), ...issues]
        for (const issue of all)
          context.addIssue({ ...issue, path: [key, ...issue.path] } as Parameters<typeof context.addIssue>[0])
        entries.push([key, data as z.output<Value>])
        if (all.length > 0 && ++faults === faultsMax) break
      }
      // Unlike an assignment this makes an entry of its own of whatever name.
      return Object.fromEntries(entries)
    })
    .meta({
      type: 'object',
      propertyNames: described(name),
      additionalProperties: described(values),
      ...(entriesMax === undefined ? {} : { maxProperties: entriesMax }),
    })

const nameIssue = ({ length }: string) => ({
  code: 'custom' as const,
  path: [],
  message: `must have a name of 1 to ${limits.nameCharactersMax} characters, got one of ${length}`,
})

/** Numbers, the three names, or null. */
export const column = columnOf(
  (value) => (value === null ? null : decodeNumber(value)),
  'a number, null, "NaN", "Infinity" or "-Infinity"',
  {
    id: 'Column',
    description: 'One entry per step; null = not known. An empty or absent column = not known throughout.',
    items: { anyOf: [{ type: 'number' }, { type: 'null' }, { enum: [...nonFiniteNames] }] },
  },
)

/** Numbers of 0 or more, or null. */
export const countColumn = columnOf(
  (value) => {
    const number = value === null ? null : decodeNumber(value)
    return number !== undefined && number !== null && number < 0 ? undefined : number
  },
  'null or a number of 0 or more',
  { id: 'CountColumn', items: { anyOf: [{ type: 'number', minimum: 0 }, { type: 'null' }] } },
)

export const stepColumn = columnOf(
  (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= limits.stepMax
      ? (value as number)
      : undefined,
  `a whole number from 0 to ${limits.stepMax}`,
  { id: 'StepColumn', items: { type: 'integer', minimum: 0, maximum: limits.stepMax } },
)

/** Names, one per step, or null where there is none. */
export const nameColumn = columnOf(
  (value) =>
    value === null ||
    (typeof value === 'string' && value.length > 0 && value.length <= limits.nameCharactersMax)
      ? (value as string | null)
      : undefined,
  `null or a text of 1 to ${limits.nameCharactersMax} characters`,
  {
    id: 'NameColumn',
    items: {
      anyOf: [{ type: 'string', minLength: 1, maxLength: limits.nameCharactersMax }, { type: 'null' }],
    },
  },
)
