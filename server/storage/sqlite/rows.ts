// The statements that more than one file uses; between a record and its row: ../rows.ts.

/** The key first: null = a new one. */
export const insertRun = `INSERT INTO runs (key, id, name, project, tags, lifecycle, created_at, last_seen_at,
  stale_at, flush_seconds_mean, steps_per_second, observation_count, decision_count, tuner_version,
  refolded_from, summary, step, loss, held_out_loss, held_out_loss_best, accuracy, accuracy_best, search)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
export const updateRun = `UPDATE runs SET id = ?, name = ?, project = ?, tags = ?, lifecycle = ?, created_at = ?,
  last_seen_at = ?, stale_at = ?, flush_seconds_mean = ?, steps_per_second = ?, observation_count = ?,
  decision_count = ?, tuner_version = ?, refolded_from = ?, summary = ?, step = ?, loss = ?, held_out_loss = ?,
  held_out_loss_best = ?, accuracy = ?, accuracy_best = ?, search = ? WHERE key = ?`
export const insertClient = `INSERT OR REPLACE INTO clients (run, client_id, last_sequence, last_answer)
  VALUES (?, ?, ?, ?)`
export const selectChunk = `SELECT signal, level, chunk, body, checksum FROM chunks
  WHERE run = ? AND signal = ? AND level = ? AND chunk = ?`
