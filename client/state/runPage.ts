// Keeps one run's state up to date: loads it over HTTP (compressed, and before the socket stands), subscribes to what
// follows, takes what is missing after each reconnection, asks again for a thinned series when the one at hand has grown too long, and loads the zoomed range. The page shows
// `runState`; the gallery sets it by hand.

import { effect, signal } from '@preact/signals'
import { firstStepOf, lastStepOf } from '../charts/phases.ts'
import { shownRange } from '../charts/ranges.ts'
import { usualWindow } from '../charts/smooth.ts'
import { fetchDecisions, fetchRun, fetchSeries, type SeriesRange } from '../connection/api.ts'
import { connected, follow, listen } from '../connection/live.ts'
import { readMessage } from '../connection/read.ts'
import { address, type RunAddress, runAddress } from './address.ts'
import { drawnSignals } from './drawn.ts'
import { emptyRunState, knownUpTo, mergeDecisions, type RunState, tooLong, withSeries } from './runState.ts'
import { mergeSeries, nextStepOf, seriesWhere } from './series.ts'

export const runState = signal<RunState>(emptyRunState(''))
/** Decisions that arrived with the last reconnection, and when; null before the first one. */
export const caughtUp = signal<{ readonly count: number; readonly atMs: number } | null>(null)

/** Buckets asked for: about one per pixel of a wide chart. */
export const seriesPoints = 1_200
const zoomPointsMax = 3_000
/** Rest after a zoom before its range is fetched, in milliseconds. */
const zoomRestMs = 120

/** Asks for the names of signals that have come since the page subscribed; does nothing where no run is followed. */
export let refreshSignalNames: () => void = () => {}

/** Follows a run until the returned function is called. */
export function followRun(runId: string): () => void {
  runState.value = emptyRunState(runId)
  caughtUp.value = null
  const update = (change: (state: RunState) => RunState) => {
    if (runState.peek().runId === runId) runState.value = change(runState.peek())
  }
  const stops = [
    listen('decision', (message) => {
      if (message.runId !== runId) return
      const known = knownUpTo(runState.peek().decisions)
      update((state) => ({ ...state, decisions: mergeDecisions(state.decisions, [message.decision]) }))
      if (message.decision.number > known + 1) void fillDecisions(runId, known)
    }),
    listen('samples', (message) => {
      if (message.runId !== runId) return
      update((state) => withSeries(state, message.series))
      if (tooLong(runState.peek())) void reloadSeries(runId)
    }),
    listen('run', (message) => {
      if (message.run.id === runId) update((state) => ({ ...state, run: message.run, problem: null }))
    }),
    listen('removed', (message) => {
      if (message.runId === runId) update((state) => ({ ...state, removed: true }))
    }),
    followEvents(runId, update, loadFirst(runId, update)),
    followZoom(runId),
    awaitRun(runId, update),
    followDrawn(runId, update),
  ]
  refreshSignalNames = () => subscribe(runId, update, false)
  return () => {
    refreshSignalNames = () => {}
    for (const stop of stops) stop()
  }
}

type Update = (change: (state: RunState) => RunState) => void

/** The address while it is that of this run. */
function addressOf(runId: string, now = address.peek()): RunAddress {
  return now.page === 'run' && now.runId === runId ? now : runAddress(runId)
}
const drawnOf = (runId: string): readonly string[] => drawnSignals(addressOf(runId))

/**
 * Subscribes to the run over each connection.
 * @param first done when what was there at the beginning is known, so that only what is newer is asked for
 */
function followEvents(runId: string, update: Update, first: Promise<void>): () => void {
  let isFollowed = true
  let times = 0
  const stop = follow({
    ask: () => {
      const again = times++ > 0
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
  const request = {
    runId,
    afterDecision: knownUpTo(state.decisions),
    afterStep: state.loaded ? nextStepOf(state.series, state.run?.step ?? null) : 0,
    points: seriesPoints,
    signals: [...drawnOf(runId)],
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
    if (again) caughtUp.value = { count: answer.decisions.length, atMs: Date.now() }
    // Samples far ahead of the run would thin all others away.
    const reachesAhead = answer.series.toStep > answer.run.step
    if (reachesAhead || tooLong(runState.peek())) void reloadSeries(runId)
  })
}

/** What is there so far, over HTTP. */
async function loadFirst(runId: string, update: Update): Promise<void> {
  const everything = { from: 0, to: 1e12, points: seriesPoints }
  const series = fetchSeries(runId, everything, drawnOf(runId))
  const decisions = fetchDecisions(runId, 0)
  const answer = await fetchRun(runId)
  if (!answer.ok) {
    if (answer.problem.status !== 0)
      update((state) => ({ ...state, problem: state.run === null ? answer.problem : null, loaded: true }))
    return
  }
  update((state) => ({ ...state, run: state.run ?? answer.value }))
  const [samples, records] = await Promise.all([series, decisions])
  update((state) => ({
    ...(samples.ok ? withSeries(state, samples.value) : state),
    decisions: records.ok ? mergeDecisions(state.decisions, records.value.decisions) : state.decisions,
    signalNames: samples.ok ? Object.keys(samples.value.signals) : [],
    loaded: samples.ok,
  }))
  // Samples far ahead of the run would thin all others away.
  if (samples.ok && samples.value.toStep > answer.value.step) void reloadSeries(runId)
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
  const answer = await fetchDecisions(runId, after)
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
  const answer = await fetchSeries(runId, range, drawnOf(runId))
  reloading = false
  const state = runState.peek()
  if (!answer.ok || state.runId !== runId) return
  const reached = Math.max(seen, nextStepOf(answer.value, null))
  const newer = seriesWhere(state.series, (step) => step >= reached)
  runState.value = withSeries({ ...state, series: answer.value, zoomed: null }, newer)
  void loadZoom(runId)
}

/** Asks for the samples of panels that are opened later: those so far over HTTP, those to come over the socket. */
function followDrawn(runId: string, update: Update): () => void {
  let known = drawnOf(runId)
  return effect(() => {
    const drawn = drawnSignals(addressOf(runId, address.value))
    const added = drawn.filter((name) => !known.includes(name))
    known = drawn
    if (added.length === 0) return
    void loadSignals(runId, added)
    subscribe(runId, update, false)
  })
}

async function loadSignals(runId: string, signals: readonly string[]): Promise<void> {
  const range = { from: 0, to: 1e12, points: seriesPoints }
  const answer = await fetchSeries(runId, range, signals)
  const state = runState.peek()
  // A signal that the run does not have is no failure: its panel says so.
  if (!answer.ok || state.runId !== runId) return
  runState.value = { ...state, series: mergeSeries(state.series, answer.value) }
  void loadZoom(runId)
}

/** The steps to fetch for what is shown, with those around that the smoothed line takes in; null = the whole run. */
function rangeToLoad(runId: string): SeriesRange | null {
  const { run } = runState.peek()
  const { zoom, last, smooth } = addressOf(runId)
  if (run === null || (zoom === null && last === null)) return null
  const whole = { from: firstStepOf(run), to: lastStepOf(run) }
  const { range } = shownRange(zoom, last, whole, run.step)
  if (range === null) return null
  const length = range.to - range.from
  const around = smooth ?? usualWindow(length)
  // As fine inside as without what lies around it.
  const points = Math.min(zoomPointsMax, Math.ceil(seriesPoints * (1 + (2 * around) / length)))
  // The last steps go on with the run.
  return { from: Math.max(0, range.from - around), to: zoom === null ? 1e12 : range.to + around, points }
}

function followZoom(runId: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let shown = ''
  const stop = effect(() => {
    const { zoom, last, smooth } = addressOf(runId, address.value)
    const isKnown = runState.value.run !== null
    const key = !isKnown || (zoom === null && last === null) ? '' : JSON.stringify([zoom, last, smooth])
    if (key === shown) return
    shown = key
    clearTimeout(timer)
    if (key === '') runState.value = { ...runState.peek(), zoomed: null }
    else timer = setTimeout(() => void loadZoom(runId), zoomRestMs)
  })
  return () => {
    clearTimeout(timer)
    stop()
  }
}

let zoomsAsked = 0
async function loadZoom(runId: string): Promise<void> {
  const range = rangeToLoad(runId)
  if (range === null) return
  zoomsAsked += 1
  const asked = zoomsAsked
  const answer = await fetchSeries(runId, range, drawnOf(runId))
  const state = runState.peek()
  if (!answer.ok || state.runId !== runId || asked !== zoomsAsked || rangeToLoad(runId) === null) return
  runState.value = { ...state, zoomed: { ...answer.value, fromStep: range.from, toStep: range.to } }
}
