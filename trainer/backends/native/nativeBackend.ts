// The trainer's backends on native TensorFlow: `gpu` on an NVIDIA card, `native` on the processor. A card works
// through its queue while the host goes on, and a read waits for the end of the queue: so all scalars of a flush are
// joined into one tensor on the device and read at once.

import { availableParallelism } from 'node:os'
import * as tf from '@tensorflow/tfjs-core'
import { type Backend, readTogether } from '../backend.ts'
import { registerGradients } from '../kernels/gradients.ts'
import { type Driver, readDriver, whyNoCard } from './driver.ts'
import { whyNotInstalled } from './installation.ts'
import { type LoadedNative, loadedNative, loadNative, nativePlaces, tensorflowBackend } from './loadNative.ts'
import { improveStep } from './stepKernel.ts'
import { type System, thisSystem } from './system.ts'

export type NativeBackend = Omit<Backend, 'name'> & { readonly name: 'gpu' | 'native' }

/** On a card: enough steps that the wait for its queue does not count, few enough that the page stays fresh. */
const stepsPerReadOnCard = 20

async function use({ onGpu, tensorflow }: LoadedNative, on: string): Promise<NativeBackend> {
  registerGradients()
  improveStep(tensorflowBackend)
  tf.enableProdMode()
  if (!(await tf.setBackend(tensorflowBackend)))
    throw new Error(`TensorFlow ${tensorflow} is loaded, but its backend did not start`)
  return {
    name: onGpu ? 'gpu' : 'native',
    description: `TensorFlow ${tensorflow} on ${on}`,
    stepsPerRead: onGpu ? stepsPerReadOnCard : 1,
    readValues: readTogether,
  }
}

/** The last lines of TensorFlow's own log, which tell what it missed. */
const lastWords = (log: string): string => {
  const lines = log.split('\n').filter((line) => /^[WEF]\d{4}|Could not|failed|dlopen/.test(line))
  return lines.length === 0 ? '' : `; TensorFlow says: ${lines.slice(-3).join(' / ')}`
}

const cardName = ({ cards, version }: Driver): string =>
  `${cards[0]?.name ?? 'an NVIDIA card'} (driver ${version ?? 'unknown'})`

/** @throws Error with a sentence: not set up, no driver, too old a driver, or TensorFlow finds no card. */
export async function openGpu(
  places = nativePlaces(),
  system: System = thisSystem(),
): Promise<NativeBackend> {
  // What is missing on the computer comes first: setting up TensorFlow would not help without a card.
  const driver = readDriver(system)
  const reason = whyNoCard(driver) ?? whyNotInstalled(places.gpu)
  if (reason !== undefined) throw new Error(reason)
  const loaded = loadNative(places.gpu)
  if (!loaded.onGpu)
    throw new Error(
      `TensorFlow ${loaded.tensorflow} does not use the card ${cardName(driver)}${lastWords(loaded.log)}`,
    )
  return use(loaded, cardName(driver))
}

/** The processor, through the CPU build or, where only that is set up, the GPU build without its card. */
export async function openNative(places = nativePlaces()): Promise<NativeBackend> {
  const held = loadedNative()
  if (held?.onGpu)
    throw new Error('this process computes on the card already; start another one for `native`')
  const place = whyNotInstalled(places.cpu) !== undefined && isSetUp(places.gpu) ? places.gpu : places.cpu
  const loaded = held ?? loadNative(place, { hideCards: true })
  return use(loaded, `the processor, ${availableParallelism()} threads`)
}

const isSetUp = (place: Parameters<typeof whyNotInstalled>[0]): boolean =>
  whyNotInstalled(place) === undefined
