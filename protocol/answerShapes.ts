// The shapes of the answers that the page reads, made from their schemas: `npx vitest run protocol/answerShapes -u`
// writes this file anew.

// biome-ignore-all format: made by a program
export const answerShapes = {
  RunList: {'runs':['@RunSummary'],'next':['s','0']},
  RunSummary: {'id':'@RunId','options':'@RunOptions','state':'=running|paused|waiting|stale|diverged|finished','mode':'=auto|advisory|approve|off','phase':'=warmup|large|anneal|done','regime':'@RegimeReading','step':'n','budgetSteps':['n','0'],'headline':'s','loss':['n','0'],'learningRate':['n','0'],'largeLearningRate':['n','0'],'switchStep':['n','0'],'plan':'@Plan','phases':['@PhaseSpan'],'override':[{'learningRate':'n','untilStep':'n','reason':'s'},'0'],'decisionCount':'n','awaitingDecision':['n','0'],'signalShare':['n','0'],'probeShare':['n','0'],'stepsPerSecond':['n','0'],'spark':['n'],'badSamples':{'nonFinite':'n','nonFiniteNorms':'n','skipped':'n','outOfOrder':'n','repeated':'n','farAhead':'n'},'drift':[{'sinceStep':'n','applied':'n','planned':'n'},'0'],'outcome':[{'firstLoss':['n','0'],'keptLoss':['n','0'],'isBetter':['b','0']},'0'],'forecast':['@KeptForecast','0'],'advice':[{'step':'n','kind':'=switch|finish'},'0'],'branches':['@Branch'],'createdAt':'s','lastSeenAt':'s'},
  Series: {'runId':'@RunId','fromStep':'n','toStep':'n','stored':'n','shown':'n','signals':{'*':'@SeriesColumns'},'unknown?':['s']},
  DecisionList: {'decisions':['@Decision'],'next':['n','0']},
  SubscribeAnswer: [{'ok':'!1','run':'@RunSummary','decisions':['@Decision'],'series':'@Series','signalNames?':['s']},{'ok':'!0','problem':'@Problem'}],
  LiveSamples: {'runId':'@RunId','thinned':'b','series':'@Series'},
  ForecastCalibration: {'count':'n','inside':'n','runs':'n','below':'n','above':'n','widthMedian':['n','0'],'bins':[{'count':'n','inside':'n','from':'n'}]},
  Problem: {'type':'s','title':'s','status':'n','detail':'s','code':'s','errors?':[{'pointer':'s','detail':'s'}],'expectedSequence?':'n','requestId?':'s'},
  RunId: 's',
  RunOptions: {'name':'s','project':'s','tags':['s'],'framework':'s','optimizer':'@Optimizer','budgetSteps':['n','0'],'warmupSteps':['n','0'],'firstStep':['n','0'],'tokensPerStep?':'n','mode':'=auto|advisory|approve|off','capabilities':['=checkpoint|rewind|heldOutLoss|averagedWeights|microBatchNorms|lineProbe|momentum|branch'],'learningRate':{'initial':['n','0'],'min':['n','0'],'max':['n','0']},'settings':{'*':['s','n','b','0']}},
  RegimeReading: {'name':'=large-step|small-step|unstable|unknown','index':['n','0'],'low':['n','0'],'high':['n','0'],'reason?':'s'},
  Plan: {'version':'n','segments':['@Segment'],'tripwire?':['@Tripwire','0'],'cadence?':['@Cadence','0'],'awaitAtStep?':['n','0']},
  PhaseSpan: {'phase':'=warmup|large|anneal|done','fromStep':'n','toStep':['n','0']},
  KeptForecast: {'value':'n','standardError':'n','low':'n','high':'n','reached':['n','0'],'isInside':['b','0']},
  Branch: {'number':'n','fromStep':'n','steps':'n','state':'=asked|done|failed','loss':['n','0'],'promised':['@Forecast','0']},
  SeriesColumns: {'step':['n'],'first':[['n','0']],'min':[['n','0']],'max':[['n','0']],'last':[['n','0']],'count':['n'],'nonFinite':['n']},
  Decision: {'number':'n','runId':'@RunId','step':'n','kind':'=start|hold|raise|lower|switch|undo|guard|override|hand-back|finish|drift|transition|branch','summary':'s','phase':{'from':'=warmup|large|anneal|done','to':'=warmup|large|anneal|done'},'regime':'@RegimeReading','transition?':{'from':'=large-step|small-step|unstable|unknown','to':'=large-step|small-step|unstable|unknown'},'plan':'@Plan','reason':'@Reason','test?':'@DecisionTest','evidence':['@Evidence'],'whyNotYet?':'s','earliestStep?':['n','0'],'alternatives':['@Alternative'],'counterfactuals':['@Counterfactual'],'rule':{'id':'s','version':'n'},'mode':'=auto|advisory|approve|off','status':'=applied|awaiting-approval|approved|rejected|expired|superseded|advisory','answers?':'n','person?':{'by':'s','reason':'s'},'promised?':['@Forecast','0'],'reached?':['n','0'],'isInside?':'b','cause':'n','madeAt':'s'},
  Optimizer: {'name':'s','family':'=sgd|adam|muon|other','momentum':['n','0'],'weightDecay':['n','0']},
  Segment: {'fromStep':'n','toStep':'n','shape':'=constant|linear|cosine|oneMinusSqrt|exponential','from':'n','to':'n','momentum?':['n','0'],'phase?':'=warmup|large|anneal|done'},
  Tripwire: {'lossAbove':['n','0'],'gradientNormAbove':['n','0'],'thenLearningRate':'n'},
  Cadence: {'blockSteps':'n','valleySteps':['n','0'],'lineSteps':['n','0'],'microBatchSteps':['n','0']},
  Forecast: {'value':'n','standardError':'n','low':'n','high':'n'},
  Reason: {'key':'s','values':{'*':['n','0']},'text?':'s'},
  DecisionTest: {'key':'s','left':{'value':'n','standardError':['n','0']},'relation':'=<=|>=|<|>','right':{'value':'n','standardError':['n','0']},'satisfied':'b','hits':{'met':'n','of':'n'},'probability':['n','0']},
  Evidence: {'signal':'s','value':['n','0'],'standardError':['n','0'],'unit':'s','count':'n','source':'s','learningRate?':'n'},
  Alternative: {'kind':'=now|at|never|merge','switchStep':['n','0'],'finalLoss':'n','standardError':'n','low':'n','high':'n'},
  Counterfactual: {'rule':'s','step':['n','0']},
} as const
