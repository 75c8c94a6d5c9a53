// Schemas of everything on the wire, told by subject in schemas/. Unknown input is parsed here once, into the types of
// vocabulary.ts, and the server's /openapi.json is generated from these same schemas. Objects are strict: an unknown
// field is an error that names it, because a misspelt column would otherwise be lost in silence.
//
// `satisfies z.ZodType<T>` holds each schema to the vocabulary's type T: a field that is missing here or has
// another type does not compile (schemas.test.ts asserts the other direction). Optional fields are exact, so
// that a parsed field is there or it is not, but never there as `undefined`.

export { actionSchema, planSchema, segmentSchema } from './schemas/plan.ts'
export {
  approvalSchema,
  type ChangeRun,
  type CreateRun,
  changeRunSchema,
  commandOf,
  commandSchema,
  createRunSchema,
  overrideSchema,
  runOptions,
  seriesQuerySchema,
  subscribeSchema,
} from './schemas/requests.ts'
export {
  acknowledgementSchema,
  parsedTelemetry,
  probeSchema,
  sampleColumnsSchema,
  telemetrySchema,
} from './schemas/telemetry.ts'
export { encodeNumber, limits, runIdSchema } from './schemas/values.ts'
