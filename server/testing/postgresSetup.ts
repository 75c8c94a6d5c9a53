// Starts the PostgreSQL of a run of the tests; test files find it by `postgresDatabase`.

import type { TestProject } from 'vitest/node'
import type {} from './postgresDatabase.ts'
import { howToInstall, startPostgres } from './postgresServer.ts'

export default async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const server = await startPostgres()
  provide('postgresUrl', server?.url ?? null)
  if (server === undefined) console.warn(howToInstall)
  return server?.stop
}
