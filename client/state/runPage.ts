// Keeps one run's state up to date: loads it over HTTP (compressed, and before the socket stands), subscribes to what
// follows, takes what is missing after each reconnection, asks again for a thinned series when the one at hand has grown too long, and loads the zoomed range. The page shows
// `runState`; the gallery sets it by hand.

import { batch, effect, signal } from '@preact/signals'
import type { Decision, RunSummary } from '../../protocol/vocabulary.ts'
import { fetchDecisions, fetchRun, fetchSeries, type SeriesWanted } from '../connection/api.ts'
import { connected, follow, listen } from '../connection/live.ts'
import { readMessage } from '../connection/read.ts'
import { address, type RunAddress, runAddress } from './address.ts'
import { drawnSignals, extremeSignals } from './drawn.ts'
import { loadChanges, loadNewest, loadOlder, type NewestDecisions } from './runDecisions.ts'
import { emptyRunState, knownUpTo, mergeDecisions, type RunState, tooLong, withSeries } from './runState.ts'
import { mergeSeries, nextStepOf, seriesWhere } from './series.ts'
import { followZoom } from './zoomed.ts'

export const runState = signal<RunState>(emptyRunState(''))
/** Decisions that arrived with the last reconnection, and when; null before the first one. */
export const caughtUp = signal<{ readonly count: number; readonly atMs: number } | null>(null)

/** Buckets asked for: about one per pixel of a wide chart. */
export const seriesPoints = 1_200
const wholeDigits = 5
const partDigits = 7
/** Decisions that are asked for where one shows that those before it were missed. */
const decisionsMissed = 1_000

/** Asks for the names of signals that have come since the page subscribed; does nothing where no run is followed. */
export let refreshSignalNames: () => void = () => {}
let loadPartAgain: () => void = () => {}

/** Follows a run until the returned function is called. */
export function followRun(runId: string): () => void {
  runState.value = emptyRunState(runId)
  caughtUp.value = null
  const update = (change: (state: RunState) => RunState) => {
    if (runState.peek().runId === runId) runState.value = change(runState.peek())
  }
  const stops = [
    listen('decision', (message) => {
      if (message.runId === runId) takeDecisions(runId, update, [message.decision])
    }),
    listen('samples', (message) => {
      if (message.runId !== runId) return
      batch(() => {
        update((state) => ({ ...withSeries(state, message.series), ...summaryOf(message) }))
        takeDecisions(runId, update, message.decisions ?? [])
      })
      if (tooLong(runState.peek())) void reloadSeries(runId)
    }),
    listen('run', (message) => {
      if (message.run.id === runId) update((state) => ({ ...state, ...summaryOf(message) }))
    }),
    listen('removed', (message) => {
      if (message.runId === runId) update((state) => ({ ...state, removed: true }))
    }),
    followEvents(runId, update, loadFirst(runId, update)),
    followPart(runId),
    awaitRun(runId, update),
    followDrawn(runId, update),
  ]
  refreshSignalNames = () => subscribe(runId, update, false)
  return () => {
    refreshSignalNames = () => {}
    for (const stop of stops) stop()
  }
}

/** Keeps finer samples of the part that is shown. */
function followPart(runId: string): () => void {
  const { stop, again } = followZoom({
    state: runState,
    addressOf: (now) => addressOf(runId, now),
    wanted: () => wanted(runId, 'part'),
    points: seriesPoints,
  })
  loadPartAgain = again
  return () => {
    loadPartAgain = () => {}
    stop()
  }
}

/** New decisions; where they show that some before them were missed, those are asked for. */
function takeDecisions(runId: string, update: Update, decisions: readonly Decision[]): void {
  const first = decisions[0]
  if (first === undefined) return
  const known = knownUpTo(runState.peek())
  update((state) => ({ ...state, decisions: mergeDecisions(state.decisions, decisions) }))
  if (first.number > known + 1) void fillDecisions(runId, known)
}

const summaryOf = ({ run }: { readonly run?: RunSummary }): Partial<RunState> =>
  run === undefined ? {} : { run, problem: null }

type Update = (change: (state: RunState) => RunState) => void

/** The address while it is that of this run. */
function addressOf(runId: string, now = address.peek()): RunAddress {
  return now.page === 'run' && now.runId === runId ? now : runAddress(runId)
}
const drawnOf = (runId: string): readonly string[] => drawnSignals(addressOf(runId))
const extremesOf = (runId: string): readonly string[] => extremeSignals(addressOf(runId))

/** All that is drawn; of a part of the run in more digits, as its scale may be a small part of the values. */
const wanted = (runId: string, part: 'whole' | 'part'): SeriesWanted => ({
  signals: drawnOf(runId),
  extremes: extremesOf(runId),
  digits: part === 'whole' ? wholeDigits : partDigits,
})

/**
 * Subscribes to the run over each connection.
 * @param first done when what was there at the beginning is known, so that only what is newer is asked for
 */
function followEvents(runId: string, update: Update, first: Promise<void>): () => void {
  let isFollowed = true
  const stop = follow({
    ask: (_socket, again) => {
      void first.then(() => {
        if (isFollowed) subscribe(runId, update, again)
      })
    },
    leave: (socket) => socket.emit('unsubscribe', { runId }),
  })
  return () => {
    isFollowed = false
    stop()
  }
}

/**
 * Does nothing while not connected: every connection subscribes.
 * @param again whether this follows a lost connection, so that it is told what arrived meanwhile
 */
function subscribe(runId: string, update: Update, again: boolean): void {
  const socket = connected()
  if (socket === null) return
  const state = runState.peek()
  // Where nothing could be read before, all of it would be news.
  const isKnown =
    state.loaded && state.run !== null && knownUpTo(state) >= Math.min(1, state.run.decisionCount)
  const request = {
    runId,
    afterDecision: knownUpTo(state),
    afterStep: state.loaded ? nextStepOf(state.series, state.run?.step ?? null) : 0,
    points: seriesPoints,
    signals: [...drawnOf(runId)],
    together: true,
  }
  socket.emit('subscribe', request, (given) => {
    const read = readMessage('subscribe', given)
    const answer = read.ok ? read.value : read
    if (!answer.ok) return update((now) => ({ ...now, problem: answer.problem, loaded: true }))
    update((now) => ({
      ...withSeries(now, answer.series),
      run: answer.run,
      signalNames: answer.signalNames ?? Object.keys(answer.series.signals),
      decisions: mergeDecisions(now.decisions, answer.decisions),
      problem: null,
      loaded: true,
    }))
    if (again && isKnown) caughtUp.value = { count: answer.decisions.length, atMs: Date.now() }
    // Samples far ahead of the run would thin all others away.
    const reachesAhead = answer.series.toStep > answer.run.step
    if (reachesAhead || tooLong(runState.peek())) void reloadSeries(runId)
  })
}

/** What is there so far, over HTTP: done when all is known but the older decisions. */
async function loadFirst(runId: string, update: Update): Promise<void> {
  const everything = { from: 0, to: 1e12, points: seriesPoints }
  const series = fetchSeries(runId, everything, wanted(runId, 'whole'))
  const changes = loadChanges(runId, addressOf(runId).decision)
  const answer = await fetchRun(runId)
  if (!answer.ok) {
    if (answer.problem.status !== 0)
      update((state) => ({ ...state, problem: state.run === null ? answer.problem : null, loaded: true }))
    return
  }
  update((state) => ({ ...state, run: state.run ?? answer.value }))
  const samples = await series
  update((state) => ({
    ...(samples.ok ? withSeries(state, samples.value) : state),
    signalNames: samples.ok ? Object.keys(samples.value.signals) : [],
    loaded: samples.ok,
  }))
  // Samples far ahead of the run would thin all others away.
  if (samples.ok && samples.value.toStep > answer.value.step) void reloadSeries(runId)
  // After the samples: on a slow line the first picture would else wait for them.
  loadDecisions(runId, update, await changes, await loadNewest(runId, answer.value.decisionCount))
}

/** Takes the decisions that came first together, so that none of them looks like news; the older ones follow. */
function loadDecisions(
  runId: string,
  update: Update,
  changes: readonly Decision[],
  { decisions, awaitedUpTo }: NewestDecisions,
): void {
  const take = (more: readonly Decision[]) => {
    update((state) => ({ ...state, decisions: mergeDecisions(state.decisions, more) }))
    return runState.peek().runId === runId
  }
  update((state) => ({ ...state, awaitedUpTo }))
  take(mergeDecisions(changes, decisions))
  void loadOlder(runId, awaitedUpTo, take).then(() => update((state) => ({ ...state, awaitedUpTo: 0 })))
}

/** How often a run that does not exist yet is asked for, in milliseconds. */
const awaitMs = 2_000

/** A link may be opened before its run is made: asks for it until it is there. */
function awaitRun(runId: string, update: Update): () => void {
  const isAbsent = () => {
    const { run, problem, removed } = runState.peek()
    return run === null && problem?.status === 404 && !removed
  }
  const timer = setInterval(() => {
    if (document.hidden || !isAbsent()) return
    void fetchRun(runId).then((answer) => {
      if (!answer.ok || runState.peek().runId !== runId || !isAbsent()) return
      update((state) => ({ ...state, run: answer.value, problem: null, loaded: false }))
      subscribe(runId, update, false)
    })
  }, awaitMs)
  return () => clearInterval(timer)
}

async function fillDecisions(runId: string, after: number): Promise<void> {
  const answer = await fetchDecisions(runId, { after, limit: decisionsMissed })
  const state = runState.peek()
  if (answer.ok && state.runId === runId)
    runState.value = { ...state, decisions: mergeDecisions(state.decisions, answer.value.decisions) }
}

let reloading = false
/** Replaces the whole series by a thinned one; what arrives meanwhile is kept by joining it afterwards. */
async function reloadSeries(runId: string): Promise<void> {
  if (reloading) return
  reloading = true
  const before = runState.peek()
  const seen = nextStepOf(before.series, before.run?.step ?? null)
  const range = { from: 0, to: before.run?.step ?? 1e12, points: seriesPoints }
  const answer = await fetchSeries(runId, range, wanted(runId, 'whole'))
  reloading = false
  const state = runState.peek()
  if (!answer.ok || state.runId !== runId) return
  const reached = Math.max(seen, nextStepOf(answer.value, null))
  const newer = seriesWhere(state.series, (step) => step >= reached)
  runState.value = withSeries({ ...state, series: answer.value, zoomed: null }, newer)
  loadPartAgain()
}

/** Asks for the samples of panels that are opened later: those so far over HTTP, those to come over the socket. */
function followDrawn(runId: string, update: Update): () => void {
  let known = { signals: drawnOf(runId), extremes: extremesOf(runId) }
  return effect(() => {
    const now = addressOf(runId, address.value)
    const before = known
    known = { signals: drawnSignals(now), extremes: extremeSignals(now) }
    const isNew = (name: string) =>
      !before.signals.includes(name) || (known.extremes.includes(name) && !before.extremes.includes(name))
    const added = known.signals.filter(isNew)
    if (added.length === 0) return
    const extremes = added.filter((name) => known.extremes.includes(name))
    void loadSignals(runId, { signals: added, extremes, digits: wholeDigits })
    subscribe(runId, update, false)
  })
}

async function loadSignals(runId: string, added: SeriesWanted): Promise<void> {
  const range = { from: 0, to: 1e12, points: seriesPoints }
  const answer = await fetchSeries(runId, range, added)
  const state = runState.peek()
  // A signal that the run does not have is no failure: its panel says so.
  if (!answer.ok || state.runId !== runId) return
  runState.value = { ...state, series: mergeSeries(state.series, answer.value) }
  loadPartAgain()
}
