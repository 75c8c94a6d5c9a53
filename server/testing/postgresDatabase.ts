// Databases of a test file in the PostgreSQL of the run (postgresSetup.ts).

import pg from 'pg'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string | null
  }
}

const server = inject('postgresUrl')
export const hasPostgres = server !== null

/** Runs statements in a database by its URL, as somebody beside the server would. */
export async function sql<T = unknown>(url: string, text: string, values: unknown[] = []): Promise<T[]> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text, values)).rows as T[]
  } finally {
    await client.end()
  }
}

let made = 0

/** The URL of a new, empty database. */
export async function newDatabase(): Promise<string> {
  const name = `test_${process.pid}_${++made}`
  await sql(`${server}/postgres`, `CREATE DATABASE ${name} TEMPLATE template0`)
  return `${server}/${name}`
}

export const dropDatabase = async (url: string): Promise<void> =>
  void (await sql(`${server}/postgres`, `DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`))
