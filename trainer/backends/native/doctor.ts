// What `twostep doctor` says about native TensorFlow: driver and card, the CUDA libraries, the versions set up, which
// backend would be taken and why not a faster one. Nothing is loaded for this; a trial (trial.ts) shows more.

import { type Driver, readDriver, whyNoCard } from './driver.ts'
import { readInstalled, whyNotInstalled } from './installation.ts'
import {
  computeCapabilityMax,
  computeCapabilityMin,
  glibcMin,
  partsOf,
  tensorflowVersion,
  type Variant,
} from './pins.ts'
import type { NativePlace } from './place.ts'
import { unsupported } from './requirements.ts'
import { compareVersions, type System } from './system.ts'
import type { Trial } from './trial.ts'

export type NamedVersion = { readonly name: string; readonly version: string }

export type VariantFacts = {
  /** null = it is whole and can be loaded. */
  readonly missing: string | null
  /** null = no TensorFlow of this variant is here. */
  readonly tensorflow: string | null
  /** NVIDIA's libraries in its folder. */
  readonly cudaLibraries: readonly NamedVersion[]
}

export type NativeFacts = {
  readonly system: string
  /** Why native TensorFlow cannot work on this computer at all; null = it can. */
  readonly unsupported: string | null
  readonly driver: Driver
  readonly variants: Readonly<Record<Variant, VariantFacts>>
  /** What `--backend auto` would take by these facts, and why not the faster ones. */
  readonly backend: 'gpu' | 'native' | 'wasm'
  readonly skipped: readonly { readonly name: 'gpu' | 'native'; readonly reason: string }[]
  /** Outcome of loading and training, where it was asked for. */
  readonly trials: Partial<Readonly<Record<Variant, Trial>>>
}

function variantFacts(place: NativePlace): VariantFacts {
  const installed = readInstalled(place)
  const [tensorflow, ...cuda] = partsOf[place.variant].wheels
  return {
    missing: whyNotInstalled(place) ?? null,
    tensorflow: installed[tensorflow!.name] === tensorflow!.sha256 ? tensorflowVersion : null,
    cudaLibraries: cuda
      .filter(({ name, sha256 }) => installed[name] === sha256)
      .map(({ name, version }) => ({ name, version })),
  }
}

export function readNativeFacts(
  system: System,
  places: Readonly<Record<Variant, NativePlace>>,
  trials: NativeFacts['trials'] = {},
): NativeFacts {
  const driver = readDriver(system)
  const variants = { cpu: variantFacts(places.cpu), gpu: variantFacts(places.gpu) }
  const never = unsupported(system, glibcMin) ?? null
  const failed = (variant: Variant) => trials[variant]?.error
  const gpuTrial = trials.gpu?.onGpu === false ? 'TensorFlow was tried and does not use the card' : undefined
  const notGpu = never ?? whyNoCard(driver) ?? variants.gpu.missing ?? failed('gpu') ?? gpuTrial ?? null
  const byGpuBuild = variants.gpu.missing === null
  const notNative =
    never ??
    (byGpuBuild ? null : variants.cpu.missing) ??
    failed(variants.cpu.missing === null ? 'cpu' : 'gpu')
  const skipped: { name: 'gpu' | 'native'; reason: string }[] = []
  if (notGpu !== null) skipped.push({ name: 'gpu', reason: notGpu })
  if (notGpu !== null && notNative) skipped.push({ name: 'native', reason: notNative })
  return {
    system: `${system.platform} ${system.arch}${system.glibc ? `, glibc ${system.glibc}` : ''}`,
    unsupported: never,
    driver,
    variants,
    backend: notGpu === null ? 'gpu' : notNative ? 'wasm' : 'native',
    skipped,
    trials,
  }
}

/** A card outside of what TensorFlow was built for is told, not refused: the self-test of the backend judges. */
function capabilityWords(capability: string | null): string {
  if (capability === null || !/^\d+\.\d+$/.test(capability)) return ''
  if (compareVersions(capability, computeCapabilityMin) < 0)
    return ` (compute capability ${capability}: TensorFlow ${tensorflowVersion} serves ${computeCapabilityMin} and newer; --backend webgpu is the way)`
  if (compareVersions(capability, computeCapabilityMax) <= 0) return ''
  return ` (compute capability ${capability}: TensorFlow ${tensorflowVersion} was built for up to ${computeCapabilityMax}, compiles its kernels at the first start, for half an hour or more by its own words, and there are open reports of failures; --backend webgpu is the other way)`
}

function driverSentence(driver: Driver): string {
  const reason = whyNoCard(driver)
  if (reason !== undefined) return reason
  const cards = driver.cards.map(
    ({ name, memoryMegabytes, computeCapability }) =>
      `${name}${memoryMegabytes === null ? '' : `, ${Math.round(memoryMegabytes / 1_000)} GB`}${capabilityWords(computeCapability)}`,
  )
  return `NVIDIA driver ${driver.version}, ${cards.length === 0 ? 'card not named' : cards.join('; ')}`
}

/** The same for a person, a line each. */
export function factSentences(facts: NativeFacts): string[] {
  const { driver, variants, backend, skipped, trials } = facts
  const libraries = variants.gpu.cudaLibraries.map(
    ({ name, version }) => `${name.replace(/^nvidia-|-cu12$/g, '')} ${version}`,
  )
  return [
    `system: ${facts.system}`,
    `card: ${driverSentence(driver)}`,
    `CUDA libraries: ${libraries.length === 0 ? 'none set up' : libraries.join(', ')}`,
    `TensorFlow for the card: ${variants.gpu.missing ?? variants.gpu.tensorflow}`,
    `TensorFlow for the processor: ${variants.cpu.missing ?? variants.cpu.tensorflow}`,
    ...Object.values(trials).map(({ sentence }) => `tried: ${sentence}`),
    `backend: ${backend} would be taken${skipped.map(({ name, reason }) => `; not ${name}: ${reason}`).join('')}`,
  ]
}
