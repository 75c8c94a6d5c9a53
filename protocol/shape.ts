// Whether an answer has the shape that its schema gives it, for a program that has no room for the schema library: the
// page. Shapes are plain data, made from the schemas (answerShapes.ts), and this is all that reads them. Fields, types and
// closed lists are checked; bounds of numbers are not. Like the schemas of answers it leaves fields alone that it does not
// know. Cost: one call per value.

/**
 * `n` number, `s` text, `b` true or false, `!1` true, `!0` false, `0` null, `=a|b` one of these words, `@Name` the shape of that name; a list
 * with one entry is a list of it, with more it is any one of them; an object has these fields (`name?` may be absent), or
 * with the one key `*` any fields of one shape.
 */
export type Shape = string | readonly Shape[] | { readonly [field: string]: Shape }
export type Shapes = Readonly<Record<string, Shape>>

const types: Readonly<Record<string, string>> = { n: 'number', s: 'string', b: 'boolean' }

function wordProblem(shapes: Shapes, shape: string, value: unknown): string | undefined {
  if (typeof value === types[shape]) return undefined
  const rest = shape.slice(1)
  if (shape[0] === '@') return shapeProblem(shapes, shapes[rest]!, value)
  if (shape[0] === '=' && typeof value === 'string' && rest.split('|').includes(value)) return undefined
  const fits = shape === '0' ? value === null : shape[0] === '!' && value === (rest === '1')
  return fits ? undefined : ` must be ${types[shape] ?? (rest || 'null')}`
}

function listProblem(shapes: Shapes, shape: readonly Shape[], value: unknown): string | undefined {
  let problem: string | undefined
  if (shape.length === 1) {
    if (!Array.isArray(value)) return ' must be list'
    for (let i = 0; i < value.length && problem === undefined; i++) {
      problem = shapeProblem(shapes, shape[0]!, value[i])
      if (problem !== undefined) problem = `/${i}${problem}`
    }
    return problem
  }
  for (const one of shape) {
    problem = shapeProblem(shapes, one, value)
    if (problem === undefined) break
  }
  return problem
}

type Fields = Readonly<Record<string, unknown>>

function objectProblem(
  shapes: Shapes,
  shape: Readonly<Record<string, Shape>>,
  given: Fields,
): string | undefined {
  const any = shape['*']
  for (const key of Object.keys(any === undefined ? shape : given)) {
    const isOptional = any === undefined && key.endsWith('?')
    const name = isOptional ? key.slice(0, -1) : key
    if (isOptional && given[name] === undefined) continue
    const problem = shapeProblem(shapes, any ?? shape[key]!, given[name])
    if (problem !== undefined) return `/${name}${problem}`
  }
  return undefined
}

/** Where and why a value is not of a shape, as "/run/step must be number"; undefined = it is. */
export function shapeProblem(shapes: Shapes, shape: Shape, value: unknown): string | undefined {
  if (typeof shape === 'string') return wordProblem(shapes, shape, value)
  if (Array.isArray(shape)) return listProblem(shapes, shape, value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ' must be object'
  return objectProblem(shapes, shape as Readonly<Record<string, Shape>>, value as Fields)
}
