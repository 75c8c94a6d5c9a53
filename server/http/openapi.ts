// /openapi.json: the contract, made from the schemas that parse requests and describe answers, so that it cannot drift
// from the server.

import { z } from 'zod'
import { limits, runIdSchema } from '../../protocol/schemas.ts'
import { problemKinds } from '../errors.ts'
import { type Method, type Operation, operations, problemsOf, scopesOf } from './operations.ts'

type Json = Record<string, unknown>

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

/** The reference to a schema, by the id that it carries. */
function refTo(schema: z.ZodType): Json {
  const { id } = z.globalRegistry.get(schema) ?? {}
  if (id === undefined) throw new RangeError('a schema of the contract has no id')
  return ref(id)
}

const content = (media: string, schema: Json) => ({ content: { [media]: { schema } } })

function queryParameters(query: z.ZodType): Json[] {
  // `output`: what a coerced number is, not that any text may be tried; but a list is sent as text.
  const described = z.toJSONSchema(query, { io: 'output' }) as { properties?: Record<string, Json> }
  const sent = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' }) as typeof described
  return Object.entries(described.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: refersTo(schema) ?? (schema.type === 'array' ? sent.properties?.[name] : schema),
  }))
}

/** A schema with a name is a reference within its own document there; here it is one into the components. */
const refersTo = ({ $ref }: Json): Json | undefined =>
  typeof $ref === 'string' ? ref($ref.split('/').at(-1)!) : undefined

function responsesOf(path: string, method: Method, operation: Operation): Json {
  const responses: Record<string, { description: string; content?: Json }> = {}
  for (const [status, schema] of Object.entries(operation.answers)) {
    if (schema === null) responses[status] = { description: 'Done' }
    else {
      const { content: own } = content(operation.answerLines ?? 'application/json', refTo(schema))
      const others = (operation.otherMedia ?? []).map((media) => content(media, { type: 'string' }).content)
      responses[status] = { description: operation.summary, content: Object.assign({}, own, ...others) }
    }
  }
  if (operation.isConditional)
    responses[304] = { description: 'Not changed since the `ETag` of `If-None-Match`' }
  for (const code of problemsOf(path, method, operation)) {
    const { status, title } = problemKinds[code]
    const described = responses[status]
    const line = `${title} (\`${code}\`)`
    responses[status] = {
      description: described === undefined ? line : `${described.description}; ${line}`,
      ...content('application/problem+json', ref('Problem')),
    }
  }
  return responses
}

function pathSchema(name: string | undefined): Json {
  if (name === 'number') return { type: 'integer', minimum: 1 }
  return name === 'token' || name === 'webhook' ? { type: 'string', maxLength: 64 } : refTo(runIdSchema)
}

/** A token with a scope; on loopback none is needed, which the empty alternative says. */
function securityOf(method: Method, operation: Operation): Json {
  const scopes = scopesOf(method, operation)
  return { security: scopes === 'open' ? [] : [...scopes.map((scope) => ({ token: [scope] })), {}] }
}

function operationOf(path: string, method: Method, operation: Operation): Json {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: pathSchema(name),
  }))
  const { id, summary, body, query, bodyLines } = operation
  const bytesMax = bodyLines === undefined ? limits.bodyBytesMax : limits.importBytesMax
  return {
    operationId: id,
    summary,
    ...securityOf(method, operation),
    parameters: [...parameters, ...(query === undefined ? [] : queryParameters(query))],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            description: `At most ${bytesMax} bytes after inflating; gzip is accepted.`,
            ...content(bodyLines ?? 'application/json', refTo(body)),
          },
        }),
    responses: responsesOf(path, method, operation),
  }
}

/** Every schema of the wire that has a name; `input`, because a field with a default may be left out. */
function componentSchemas(): Record<string, Json> {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    io: 'input',
    unrepresentable: 'any',
    uri: (id) => ref(id).$ref,
  })
  const named = Object.entries(schemas).map(
    ([id, { $id: _id, $schema: _schema, ...schema }]) => [id, schema as Json] as const,
  )
  const components = Object.fromEntries(named)
  const problem = components.Problem as { properties: Json }
  // The codes of this server; a newer one may have more, so the schema that clients parse with does not list them.
  problem.properties.code = { type: 'string', enum: Object.keys(problemKinds) }
  return components
}

function pathsOf(): Json {
  const entries = Object.entries(operations).map(([path, methods]) => {
    const described = Object.entries(methods).map(([method, operation]) => [
      method,
      operationOf(path, method as Method, operation),
    ])
    return [path, Object.fromEntries(described)]
  })
  return Object.fromEntries(entries)
}

const securitySchemes = { token: { type: 'http', scheme: 'bearer', description: 'A token, `tw_…`.' } }

let parts: { readonly paths: Json; readonly components: Json } | undefined

/**
 * The OpenAPI 3.1 document. Its bulk is made once.
 * @param basePath under which the paths are; empty = the host's own
 */
export function openApiDocument(version: string, basePath = ''): Json {
  parts ??= { paths: pathsOf(), components: { schemas: componentSchemas(), securitySchemes } }
  return {
    openapi: '3.1.0',
    info: { title: 'Twostep', version, description: 'Learning-rate autopilot.', license: { name: 'MIT' } },
    ...(basePath === '' ? {} : { servers: [{ url: basePath }] }),
    ...parts,
  }
}
