// How servers on one database find each other: a row each, which they write again and again. The rows are in no write-ahead log
// (UNLOGGED): after a crash of the database each server writes its own anew. What changes the tokens, the webhooks or what
// is owed to one is counted by a trigger, in the same transaction, so no server can miss that it has to read them again.

import { createAdapter } from '@socket.io/postgres-adapter'
import type pg from 'pg'
import type { Replica, ReplicaStore, Versions } from '../replicas.ts'
import { createPool } from './connect.ts'
import type { Tools } from './tools.ts'

/** Part of the schema. */
export const replicaTables = `
  CREATE UNLOGGED TABLE replicas (
    id text PRIMARY KEY,
    address text NOT NULL,
    secret text NOT NULL,
    tuner_version text NOT NULL,
    seen_at timestamptz NOT NULL
  );
  CREATE TABLE versions (what text PRIMARY KEY, version bigint NOT NULL);
  INSERT INTO versions VALUES ('tokens', 0), ('webhooks', 0), ('deliveries', 0);
  CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE versions SET version = version + 1 WHERE what = TG_TABLE_NAME;
      RETURN NULL;
    END
  $$;
  CREATE TRIGGER tokens_version AFTER INSERT OR DELETE OR UPDATE OF expires_at, revoked_at ON tokens
    EXECUTE FUNCTION count_version();
  CREATE TRIGGER webhooks_version AFTER INSERT OR DELETE OR UPDATE ON webhooks
    EXECUTE FUNCTION count_version();
  CREATE TRIGGER deliveries_version AFTER INSERT ON deliveries
    EXECUTE FUNCTION count_version();
  CREATE UNLOGGED TABLE live_attachments (
    id bigserial UNIQUE,
    created_at timestamptz DEFAULT now(),
    payload bytea
  );
  `

const beat = `WITH own AS (
    INSERT INTO replicas (id, address, secret, tuner_version, seen_at) VALUES ($1, $2, $3, $4, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
  ), gone AS (DELETE FROM replicas WHERE id <> $1 AND seen_at < clock_timestamp() - interval '1 hour')
  SELECT (SELECT coalesce(json_agg(json_build_object('id', id, 'address', address, 'secret', secret,
      'tunerVersion', tuner_version)), '[]') FROM replicas
    WHERE id <> $1 AND seen_at > clock_timestamp() - $5 * interval '1 millisecond') AS others,
    (SELECT json_object_agg(what, version ORDER BY what) FROM versions) AS versions`

/** Something is owed again that was not before, which no new row tells. */
export const owedAgain = "UPDATE versions SET version = version + 1 WHERE what = 'deliveries'"

/** One listens, one speaks. */
const connectionsMax = 2

export function createReplicaStore({
  query,
  attempt,
  url,
}: Pick<Tools, 'query' | 'attempt'> & { readonly url: string }): ReplicaStore & { end(): Promise<void> } {
  let pool: pg.Pool | undefined
  return {
    beat: (self, milliseconds) =>
      attempt(async () => {
        const { id, address, secret, tunerVersion } = self
        type Row = { readonly others: readonly Replica[]; readonly versions: Versions }
        const [row] = await query<Row>(beat, id, address, secret, tunerVersion, milliseconds)
        const { others, versions } = row!
        return { replicas: [self, ...others], versions }
      }),
    leave: (id) => attempt(async () => void (await query('DELETE FROM replicas WHERE id = $1', id))),
    liveAdapter: () => {
      pool = createPool(url, connectionsMax, false)
      // The adapter connects again by itself; a failure that nobody hears would end the process.
      pool.on('connect', (client) => void client.on('error', () => {}))
      return createAdapter(pool, { tableName: 'live_attachments', channelPrefix: 'twostep' })
    },
    end: async () => void (await pool?.end()),
  }
}
