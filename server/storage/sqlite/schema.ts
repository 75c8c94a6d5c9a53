// The tables, as migrations: entry n brings a database from version n to n + 1 and is never edited once
// released. `run` is the integer key of the run's row, which AUTOINCREMENT never gives out twice, so rows that
// a deletion has not reached yet can never be taken for another run's.

import { accessTables } from './access.ts'
import { staleTables, webhookTables } from './webhooks.ts'

/** Marks the file as ours ("2stp"), so that a foreign database is never written to. */
export const applicationId = 0x32737470

export const migrations: readonly string[] = [
  `
  CREATE TABLE runs (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    tags TEXT NOT NULL,
    lifecycle TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    stale_at INTEGER,
    flush_seconds_mean REAL,
    steps_per_second REAL,
    observation_count INTEGER NOT NULL,
    decision_count INTEGER NOT NULL,
    summary TEXT NOT NULL
  ) STRICT;
  CREATE TABLE observations (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    from_step INTEGER,
    to_step INTEGER,
    body TEXT NOT NULL,
    UNIQUE (run, number)
  ) STRICT;
  CREATE INDEX observations_steps ON observations (run, to_step, from_step) WHERE to_step IS NOT NULL;
  CREATE TABLE readings (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    from_step INTEGER NOT NULL,
    to_step INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (run, number)
  ) STRICT;
  CREATE INDEX readings_steps ON readings (run, to_step, from_step);
  CREATE TABLE decisions (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    step INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (run, number)
  ) STRICT;
  CREATE TABLE clients (
    run INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    last_sequence INTEGER NOT NULL,
    last_answer TEXT NOT NULL,
    PRIMARY KEY (run, client_id)
  ) STRICT;
  CREATE TABLE snapshots (
    run INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    tuner_version TEXT NOT NULL,
    state TEXT NOT NULL,
    series TEXT NOT NULL
  ) STRICT;
  CREATE TABLE chunks (
    run INTEGER NOT NULL,
    signal TEXT NOT NULL,
    level INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (run, signal, level, chunk)
  ) STRICT;
  CREATE TABLE deletions (run INTEGER PRIMARY KEY) STRICT;
  `,
  // Summaries of 0.1.0 get the fields that they lack, so that a list of runs can be answered before any of them is
  // refolded; the capability 'fork' is gone, and answers that would be repeated lose their decision of the old shape.
  `
  ALTER TABLE runs ADD COLUMN tuner_version TEXT NOT NULL DEFAULT '';
  ALTER TABLE runs ADD COLUMN refolded_from TEXT;
  UPDATE runs SET tuner_version = coalesce((SELECT tuner_version FROM snapshots WHERE run = runs.key), '');
  UPDATE runs SET summary = json_set(
    json_insert(
      summary,
      '$.options.optimizer.family', family_of(summary ->> '$.options.optimizer.name'),
      '$.options.optimizer.momentum', json('null'),
      '$.options.optimizer.weightDecay', json('null'),
      '$.options.warmupSteps', json('null'),
      '$.options.firstStep', json('null'),
      '$.badSamples.nonFiniteNorms', 0,
      '$.badSamples.skipped', 0,
      '$.badSamples.farAhead', 0,
      '$.drift', json('null'),
      '$.outcome', json('null'),
      '$.advice', json('null')
    ),
    '$.options.capabilities',
    json((SELECT json_group_array(value) FROM json_each(summary, '$.options.capabilities') WHERE value <> 'fork'))
  );
  UPDATE clients SET last_answer = json_remove(last_answer, '$.decision');
  CREATE TABLE batches (
    run INTEGER NOT NULL,
    client_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    after INTEGER NOT NULL,  -- its observations: those after this one,
    last INTEGER NOT NULL,   -- up to this one; the same one where there are none
    UNIQUE (run, client_id, sequence)
  ) STRICT;
  `,
  // Summaries tell what was promised; of runs that were folded before, nothing was, until they are refolded.
  `
  UPDATE runs SET summary = json_insert(summary, '$.forecast', json('null'));
  `,
  // Summaries tell which copies were annealed beside a run: of runs of before, none.
  `
  UPDATE runs SET summary = json_insert(summary, '$.branches', json('[]'));
  `,
  // What lists of runs are ordered and searched by, in columns, and one index that answers for all of them.
  `
  ALTER TABLE runs ADD COLUMN step REAL NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN loss REAL;
  ALTER TABLE runs ADD COLUMN held_out_loss REAL;
  ALTER TABLE runs ADD COLUMN held_out_loss_best REAL;
  ALTER TABLE runs ADD COLUMN accuracy REAL;
  ALTER TABLE runs ADD COLUMN accuracy_best REAL;
  ALTER TABLE runs ADD COLUMN search TEXT NOT NULL DEFAULT '';
  UPDATE runs SET
    step = summary ->> '$.step',
    loss = summary ->> '$.loss',
    search = search_text(json_array(id, name, project, json(tags), json(summary -> '$.options')));
  CREATE INDEX runs_list ON runs (lifecycle, stale_at, created_at, last_seen_at, project, name, tags, step, loss,
    held_out_loss, held_out_loss_best, accuracy, accuracy_best, search);
  `,
  accessTables,
  // Checksums of what is stored from now on (chain.ts), and what was noticed about the data.
  `
  ALTER TABLE observations ADD COLUMN checksum BLOB;
  ALTER TABLE snapshots ADD COLUMN checksum INTEGER;
  ALTER TABLE chunks ADD COLUMN checksum INTEGER;
  CREATE TABLE notices (at INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
  CREATE TABLE removed (
    run INTEGER PRIMARY KEY,   -- the key of its other rows
    id TEXT NOT NULL,
    removed_at INTEGER NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  `,
  webhookTables,
  staleTables,
  // Columns of samples as bytes from now on; those of before stay in their bodies.
  `
  ALTER TABLE observations ADD COLUMN columns BLOB;
  `,
]
export const schemaVersion = migrations.length
