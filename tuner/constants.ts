// Every constant of the decision engine, flat, with the record that set it. A constant that no run of ours
// has set says so ("chosen"); whoever changes one names the new record here. Units are in the names.

// -- Blocks: memory of a scalar over the run. Chosen: 200 blocks resolve half a percent of a run, and 512
//    blocks of three numbers stay under 64 kB as JSON.
export const blockStepsMin = 10
export const blocksPerBudget = 200
export const blocksMaxWithBudget = 512
export const blocksMaxWithoutBudget = 256
/** Lag-1 autocorrelation is clipped here, so that the factor on a standard error stays below 6.3. Chosen. */
export const autocorrelationMax = 0.95
/** Errors that are shown take the autocorrelation of n values so many times 1/√n above its estimate.
 *  bench/records/2026-11-24-coverage/README.md. */
export const autocorrelationCaution = 0.8

// -- Gradient noise. bench/records/2026-11-24-prototype/README.md used one pair per probe and windows of 10 % of
//    a run; the block counts are chosen so that the window forgets the noise of an earlier rate.
export const noiseBlocksMax = 64
export const noiseWindowBlocks = 16
export const noiseBlocksNeeded = 4
export const noisePairsPerBlock = 2

// -- Curvature and averaged gap: medians over the last probes, as in bench/records/2026-11-24-prototype/README.md.
export const probesInMedian = 8
/** Below this the MAD says next to nothing about the scatter (simulated: at 3 values 95 % intervals cover 75 %). */
export const medianErrorNeeded = 4

// -- Valley slope. bench/records/2026-11-24-prototype/README.md: power law in the run length, last 90 % of the
//    probes, eight probes before any decision. The grid is geometric with a ratio of about √2.
export const valleyProbesMax = 128
export const valleyProbesNeeded = 8
/** The newest probes are never merged with their neighbours. Chosen. */
export const valleyProbesUnmerged = 16
export const valleyShareDropped = 0.1
export const valleyExponents = [0.25, 0.35, 0.5, 0.7, 1, 1.4, 2] as const
/** Huber's k: 95 % as good as least squares on normal noise. Huber 1964. */
export const huberCutoff = 1.345

// -- Loss trend. Chosen: 64 blocks are 2,016 pairs, a fraction of a millisecond.
export const trendBlocksMax = 64
export const trendBlocksNeeded = 8

// -- Annealing gain, G = k·η_eff·trΣ/(4B)·(η_eff·h_n)^a. bench/records/2026-11-24-prototype/README.md: 76 points of
//    13 runs (5 tasks, SGD and Adam); spread 1.36 with curvature, as a factor of one sigma.
export const annealingGainFactor = 1.24
export const annealingGainPower = 0.27
export const annealingGainSpread = 1.36
/** Without h_n: the geometric mean of (η_eff·h_n)^a over 419 points of traced runs is .68 and over those at the usual rates
 *  .77; G so corrected is off by a factor of 2.1, tasks left out (bench/records/2026-11-24-after-the-switch/README.md). */
export const annealingGainWithoutCurvature = 0.7
export const annealingGainSpreadWithoutCurvature = 2.1

// -- Smoothed training loss, for the chart and the tripwire. Chosen: what a client smooths over as well.
export const lossSmoothingSteps = 10

// -- Range test. bench/records/2026-11-24-prototype/README.md; the bounds of the range are chosen.
/** First and last rate of the range test, by optimizer family. */
export const rangeFromRateSgd = 1e-5
export const rangeFromRateAdam = 1e-7
export const rangeToRateSgd = 10
export const rangeToRateAdam = 1
/** The test takes at most this share of the budget, and grows the rate by at least this factor a step. */
export const rangeShareMax = 0.05
export const rangeGrowthMin = 1.03
export const rangeStepsMax = 500
/** Time constant of the smoothed loss, in steps. Chosen: the rate grows by 1.1 a step on short runs. */
export const rangeSmoothingSteps = 5
/** Divergence: smoothed loss above this multiple of its best. */
export const rangeLossRiseFactor = 1.3
/** A rise that comes back within so many steps is a catapult; one above this multiple is not waited for. Chosen. */
export const rangeCatapultSteps = 50
export const rangeLossRiseMax = 3
/** Divergence: gradient norm this many deviations above its mean, at this many of ten steps. */
export const rangeNormDeviations = 2.5
export const rangeNormHits = 5
/** The best smoothed loss must lie below the first loss by this share, or the test measured nothing. Chosen. */
export const rangeMinimumDescent = 0.03
/** In the test the job asks for an answer each so many steps, so that it does not train on after diverging. */
export const rangeAwaitSteps = 10

// -- Race. bench/records/2026-11-24-search/README.md.
/** Ratio of neighbouring rates. */
export const raceSpread = 3
/** A faster rate wins if it is better than the one below it by so many standard errors of the paired difference, a slower one likewise. */
export const raceUpDeviations = 2
export const raceDownDeviations = 2
/** A changed rate is this multiple of the early optimum, which flatters large rates. */
export const raceKappa = 0.5
/** Two runs over different batches differ about as much as one scores differently on other examples, so many of them. */
export const raceChaosExamples = 400
/** Where a probe comes without parts, a difference of losses has this share of the loss as its standard error. */
export const raceErrorWithoutParts = 0.03
/** As long as no arm's loss lies below the run's first one by this share, smaller rates are tried: a network that a
 *  large rate has killed guesses a constant, which is up to a tenth better than its first weights. Chosen. */
export const raceDescentMin = 0.15
/** Rates that a race tries at most. Chosen. */
export const raceArmsMax = 7
/** Below a divergence rate the first arm is the usual rate, if that is not further below it than this. */
export const raceRangeReach = 30
/** The whole race takes at most this share of the budget. */
export const raceShareMax = 0.25
/** An arm is this share of the budget long, within bounds in steps. */
export const raceSegmentShare = 0.02
export const raceSegmentStepsMin = 24
export const raceSegmentStepsMax = 60
/** An arm starts at this share of its rate and reaches it half-way. */
export const raceWarmupFrom = 0.1
/** An arm whose smoothed loss exceeds this multiple of the run's first loss has diverged. Chosen. */
export const raceLossRiseFactor = 2

// -- Switch rule, budget known. bench/records/2026-11-24-prototype/README.md.
/** b = switchFactorGain · G from gradient noise and curvature; b = switchFactorGap · D from averaged weights. */
export const switchFactorGain = 0.3
export const switchFactorGap = 0.6
/** The rule must hold at so many of so many consecutive probes. */
export const switchHitsNeeded = 2
export const switchHitsWindow = 3
/** Remaining share of the budget at which the switch is forced, and above which it is refused. */
export const switchRemainingMin = 0.1
export const switchRemainingMax = 0.9
/** The rule alone does not switch before this share: the eight probes that it needs may all lie early, where a slope
 *  over the rest of the run is a guess (bench/records/2026-11-24-after-the-switch/README.md). */
export const switchRuleShareMin = 0.25
/** Share of the budget over which the fallback plan anneals, where there is too little to decide by. */
export const fallbackAnnealShare = 0.7
/** A job that could send probes but did not is annealed by the fallback plan from this share on. Chosen. */
export const fallbackPatienceShare = 0.6
/** At or above this remaining share the anneal is linear, below it 1 − √z. */
export const annealLinearShareMin = 0.3
/** The gain G was measured for an anneal over this share of the budget. */
export const annealReferenceShare = 0.1
/** Overfitting: so many of the last three probes above the best mean of three by so many deviations. Simulated on 33
 *  level probes: two deviations above the best single probe, as in the prototype, or three above the best mean of
 *  three trip in 13 % of runs with independent noise and in 68 % with a correlation of .5; these in 0 and 3 %. */
export const overfittingHits = 2
export const overfittingDeviations = 4
/** Where the rule asks for the switch anyway and its slope is negative, less than that says that the valley rises. */
export const overfittingDeviationsAtSwitch = 3
/** Factor for correlated probes at most, so that the bend of a valley that turns up is not taken for noise. */
export const overfittingFactorMax = 2
/** Length of the anneal after overfitting, as a share of the steps so far. */
export const overfittingAnnealShare = 0.5
/** Memorising: held-out loss falls by less than this multiple of the share that training loss falls by, with the ratio's error
 *  added, where training loss falls by so many standard errors, from this share of the steps so far on, with so many probes
 *  and blocks of training losses. Looked for at the switch and in this first part of the anneal, whose rest then takes this
 *  share of the steps so far. bench/records/2026-11-24-finish-early/README.md. */
export const transferMin = 0.6
/** … and training loss has fallen by this share: on a level that neither falls nor rises, e is chance. The same record. */
export const transferFallMin = 0.1
export const transferDeviations = 4
export const transferWindowFrom = 1 / 3
export const transferProbesNeeded = 4
export const transferBlocksNeeded = 8
export const transferAnnealPart = 0.25
export const memorisingAnnealShare = 0.4
/** An undo needs this share of the budget to be left; the rate climbs back over this share of it. */
export const undoShareMin = 0.2
export const undoRampShare = 0.01
/** A shorter budget switches at once where the rule is met with this probability. Chosen. */
export const rebudgetProbability = 0.8
/** Asked when these shares of the anneal are done. */
export const undoChecksAt = [0.25, 0.5] as const
/** Undone where the lower 95 % bound of what staying gains exceeds this multiple of b (the switch: at most 2; at 3 one in
 *  eleven sound switches was undone, at 5.6 % of the excess loss), or where the anneal has gained less than this share
 *  of what was promised. bench/records/2026-11-24-after-the-switch/README.md. */
export const undoStayingFactor = 9
export const undoGainShare = 0.5
/** Without a budget an anneal whose length is not measured, or after overfitting, takes this share of the steps so far.
 *  Chosen. */
export const openEndedAnnealShare = 0.25

// -- The anneal, watched. bench/records/2026-11-24-after-the-switch/README.md.
/** Memorising: averaged losses above their best level by so many deviations, judged from so many in the anneal on. */
export const annealRiseDeviations = 5
export const annealWatchNeeded = 4
export const annealWatchWindow = 16
export const annealWatchProbesMax = 64
/** Then the rest of the anneal takes this share of the steps at its best weights, and up to twice it while the rate is still
 *  high: at .15 ten times too many steps ended 7 % above their best held-out loss, at .04 5 %. */
export const annealSqueezeShare = 0.04
/** Weights kept in the anneal replace the last ones where these are worse by more than so many deviations. */
export const annealBestDeviations = 3
/** Averaged weights are kept at the lowest mean of so many probes: a single low one is low by chance. Chosen. */
export const lowestProbes = 3
/** … and are the result if the last ones lie above that by so many deviations. Chosen: a mean of three is biased less. */
export const lowestDeviations = 2

// -- Switch rule without a budget: a sequential test. bench/records/2026-11-24-sequential-test/README.md.
/** δ where none is given: this share of D (or of G) per so many steps. Chosen. */
export const toleranceShare = 0.02
export const toleranceSteps = 100
/** The chance of ever switching a run that still gains δ, at most. */
export const sequentialErrorRate = 0.05
export const sequentialLambdas = [0.25, 0.5, 1, 2] as const
export const sequentialClip = 3
/** Half of all starting weight is spent in so many looks. */
export const sequentialStartLooks = 100
/** Differences of blocks behind the first look, and blocks kept. */
export const sequentialDifferencesNeeded = 12
export const sequentialBlocksMax = 49
/** Correlation is taken as if so many parameters had been fitted: measured on few values it is too small. */
export const sequentialFittedParameters = 3
/** σ̂ is at least this share of δ, so that rounding is not taken for evidence. Chosen. */
export const sequentialScatterMin = 0.01
/** Evidence is kept up to here: more says no more, and it must stay finite. */
export const sequentialEvidenceMax = 1e6
/** The anneal of a run without a budget is at least and at most this multiple of the steps so far. */
export const openAnnealShareMin = 0.1
export const openAnnealShareMax = 1

// -- Approve mode. Chosen: time to look, and not asked again at each probe after a refusal.
/** A proposal waits for this share of the budget, or of the steps so far without one, and at least two probes. */
export const approvalShare = 0.1
/** After a refusal nobody is asked again for this share. */
export const approvalRetryShare = 0.1

// -- Cadence of probes. bench/records/2026-11-24-after-the-switch/README.md; the shares of time are the product's promise.
/** Distance of valley probes as a share of the steps so far: the first where time allows it, the second at most. */
export const valleyElapsedShare = 0.06
export const valleyElapsedShareMax = 0.25
/** Bounds of the distance; beyond the upper one it grows, up to a share of the budget, only to hold its share of time. */
export const valleyStepsMin = 20
export const valleyStepsMax = 160
export const valleyShareMax = 0.075
export const valleyStepsWithoutBudget = 100
/** Shortest averaging block. Chosen: that of a run of 2,000 steps. */
export const averagingStepsMin = 10
/** Probes may take this share of the run's time, and of that of a short run: with the signals 3 and 5 %.
 *  bench/records/2026-11-24-signal-cost/README.md. */
export const probeShareGoal = 0.011
export const probeShareGoalShort = 0.035
export const shortBudgetSteps = 3_000
/** A line probe at each of the first valley probes, then at every sixth: it costs twice as much, and G rests on its power of
 *  .27 alone. Chosen. */
export const lineProbesFirst = 2
export const lineProbeStride = 6
/** The batch is split into micro-batches at every such step, or once per averaging block where that is longer. */
export const microBatchSteps = 20
/** Signals may take this share of the time; above it micro-batch norms come more rarely, at twice that so many times. */
export const signalShareGoal = 0.011
export const microBatchStrideMax = 4
/** … but not before this many blocks of pairs are there: without them short runs of small networks had no gain to decide by. Chosen. */
export const noiseBlocksFirst = 8

// -- Divergence guard. bench/records/2026-11-24-prototype/README.md; windows are chosen.
export const guardNonFiniteMax = 5
/** Blocks of ten steps whose log-loss lies above median + 6 MAD, so many in a row, of so many kept. */
export const guardBlockSteps = 10
export const guardLossDeviations = 6
export const guardLossBlocks = 5
export const guardHistoryBlocks = 64
/** Blocks, and probes, that a judgement needs behind it: the scatter of fewer is small by chance too often
 *  (simulated: of 200 healthy noisy runs 4 tripped with 8 blocks and 4 probes, none with these). */
export const guardBlocksNeeded = 16
export const guardProbesNeeded = 8
/** Once this share of the first loss was learned, blocks in a row that have given back this share of it are divergence.
 *  bench/records/2026-11-24-regime/README.md: none of 87 traced runs that learned, from any of seven steps on. */
export const guardLearnedShare = 0.5
export const guardForgottenShare = 0.75
/** Gradient norm this many deviations above its mean at so many of ten steps. */
export const guardNormDeviations = 4
export const guardNormHits = 5
/** Probe loss above this multiple of its best and of the recent median, and outside the recent scatter. */
export const guardProbeFactor = 1.25
/** After a trip: batches left out, factor on the rate, steps of re-warming. */
export const guardSkipBatches = 200
export const guardRateFactor = 0.5
export const guardRewarmSteps = 200
/** After a trip the guard looks away for this many steps, or 2 % of the budget: the job has yet to hear of it. */
export const guardCooldownSteps = 50
/** A second trip within this share of the budget lowers the large rate for good, by this factor. */
export const guardRepeatShare = 0.05
export const guardLargeFactor = 0.7
/** Checkpoints of normal probes that are kept. */
export const guardCheckpoints = 3
/** The tripwire's limits: multiples of the smoothed loss and of the gradient norm; the rate it falls to. Chosen. */
export const tripwireLossFactor = 4
export const tripwireNormFactor = 20
export const tripwireRateFactor = 0.1

// -- Regime index. bench/records/2026-11-24-regime/README.md: fitted against forks of the traces of six tasks; `centre` is
//    the mean of the input over them, `covariance` that of intercept and coefficient, by runs.
export const regimeFit = {
  intercept: -1.56,
  coefficient: 2.68,
  centre: -3.57,
  covariance: { intercept: 0.113, both: -0.0454, coefficient: 0.0543 },
} as const
/** Median of D over the probe loss as a multiple of G over the training loss; same record. */
export const regimeGapOverGain = 0.282
/** The least share of the loss that a gain can be told from nothing at. Chosen. */
export const regimeShareMin = 0.003
export const regimeProbesNeeded = 8

// -- Where nothing is measured. Chosen: rates that rarely diverge, and a length for runs without a budget.
export const conservativeRateSgd = 0.01
export const conservativeRateAdam = 0.001
/** What most jobs use: SGD with momentum .9, and Adam. */
export const usualRateSgd = 0.1
export const usualRateAdam = 0.001
export const nominalBudgetSteps = 5_000
/** A rate that is given but cannot be raced is reached over this share of the budget. */
export const rampShare = 0.01
/** Where only a range test is possible, the large rate is this share of the divergence rate. */
export const rangeOnlyShare = 0.1

// -- Counterfactuals in decision records. Chosen: fixed anneals over these shares of the budget; dlib's rule, whose
//    window is 2,000 losses, sees means of so many of them, so that its part of the state stays small: what that
//    changes is in bench/records/2026-11-24-rivals/README.md.
export const counterfactualShares = [0.2, 0.45, 0.8] as const
export const counterfactualBlockSteps = 10
