// What a killed trainer goes on from: in one folder per run, the newest state every so many steps, and each named
// checkpoint. Writing happens in the background, one file at a time, and a disk that fails costs a notice, never
// the run. A finished run removes its folder.

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readCheckpoint, type StoredCheckpoint, writeCheckpoint } from './checkpointFile.ts'
import { type Checkpoint, disposeCheckpoint } from './checkpoints.ts'
import type { Trainer } from './trainer.ts'

/** Steps between two saves of the newest state. */
export const saveSteps = 200
const suffix = '.checkpoint'
const newest = '~newest'

export type StateFolder = {
  /** To be called after each step and after actions; returns at once. */
  keepUp(trainer: Trainer): void
  /** Saves the newest state now. */
  save(trainer: Trainer): void
  /** What the folder holds. @throws Error with a sentence if there is nothing sound to go on from. */
  load(): Promise<{ newest: StoredCheckpoint; named: ReadonlyMap<string, Checkpoint> }>
  /** Waits for the write under way. */
  settle(): Promise<void>
  remove(): Promise<void>
}

export function openStateFolder(
  folder: string,
  fits: string,
  onNotice: (sentence: string) => void,
): StateFolder {
  const written = new Map<string, Checkpoint>()
  let savedStep = -saveSteps
  let writing: Promise<void> = Promise.resolve()
  let failed = false
  const fileOf = (name: string): string => join(folder, encodeURIComponent(name) + suffix)
  const queue = (work: () => Promise<void>): void => {
    writing = writing.then(work).catch((cause: Error) => {
      if (!failed)
        onNotice(
          `checkpoints cannot be written to ${folder} (${cause.message}): a killed run could not be resumed`,
        )
      failed = true
    })
  }
  const write = (name: string, checkpoint: Checkpoint, stepCount: number): void =>
    queue(() =>
      writeCheckpoint(fileOf(name), { checkpoint, stepCount }, fits).finally(() =>
        disposeCheckpoint(checkpoint),
      ),
    )

  const save = (trainer: Trainer): void => {
    savedStep = trainer.stepCount
    write(newest, trainer.capture(), trainer.stepCount)
  }

  return {
    keepUp: (trainer) => {
      for (const name of trainer.checkpointNames()) {
        const checkpoint = trainer.namedCheckpoint(name)!
        if (written.get(name) === checkpoint) continue
        written.set(name, checkpoint)
        write(name, trainer.cloneOf(checkpoint), trainer.stepCount)
      }
      for (const name of written.keys()) {
        if (trainer.namedCheckpoint(name) !== undefined) continue
        written.delete(name)
        queue(() => rm(fileOf(name), { force: true }))
      }
      if (trainer.stepCount - savedStep < saveSteps) return
      save(trainer)
    },
    save,
    load: async () => {
      const stored = await readCheckpoint(fileOf(newest), fits)
      const named = new Map<string, Checkpoint>()
      for (const file of await readdir(folder)) {
        const name = file.endsWith(suffix) ? decodeURIComponent(file.slice(0, -suffix.length)) : newest
        if (name === newest) continue
        try {
          named.set(name, (await readCheckpoint(join(folder, file), fits)).checkpoint)
        } catch (cause) {
          onNotice(`a checkpoint is left out: ${(cause as Error).message}`)
        }
      }
      return { newest: stored, named }
    },
    settle: () => writing,
    remove: async () => {
      await writing
      await rm(folder, { recursive: true, force: true }).catch((cause: Error) =>
        onNotice(`${folder} stays: ${cause.message}`),
      )
    },
  }
}
