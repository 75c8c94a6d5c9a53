#!/bin/sh
# A training run that Twostep steers with nothing but curl: a line is fitted in awk, twenty steps at a time.
set -eu
api=${TWOSTEP_SERVER_URL:-http://127.0.0.1:7317}/api/v1
steps=400
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ask() {
  curl -sS --fail-with-body --max-time 10 -H 'Content-Type: application/json' \
    ${TWOSTEP_TOKEN:+-H} ${TWOSTEP_TOKEN:+"Authorization: Bearer $TWOSTEP_TOKEN"} "$@"
}
field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }

id=curl-$$-$(date +%s)
ask -X POST "$api/runs" -d '{"runId":"'"$id"'","project":"curl","budgetSteps":'$steps',"firstStep":0,
  "optimizer":{"name":"sgd"},"learningRate":{"initial":0.2}}' > "$folder/answer"

step=0 sequence=1 weights='0 0'
while [ $step -lt $steps ]; do
  # The plan, one line a step: step,learningRate,momentum,kind.
  ask "$api/runs/$id/schedule?format=csv" > "$folder/plan.csv"
  # Twenty steps, each on eight new examples of y = 3x + 1 under noise. Prints weights, steps, losses, rates.
  awk -F, -v first=$step -v weights="$weights" -v seed=$sequence '
    $1 >= first && $1 < first + 20 { rate[$1] = $2 }
    END {
      srand(seed); split(weights, w, " ")
      for (k = first; k < first + 20; k++) {
        loss = slope = shift = 0
        for (i = 0; i < 8; i++) {
          x = 2 * rand() - 1; y = 3 * x + 1 + 2 * (rand() + rand() + rand() + rand() - 2)
          error = w[1] * x + w[2] - y
          loss += error * error / 16; slope += error * x / 8; shift += error / 8
        }
        w[1] -= rate[k] * slope; w[2] -= rate[k] * shift
        comma = k > first ? "," : ""
        s = s comma k; l = l comma loss; r = r comma rate[k]
      }
      print w[1], w[2]; print s; print l; print r
    }' "$folder/plan.csv" > "$folder/done"
  { read -r weights; read -r s; read -r l; read -r r; } < "$folder/done"
  # A batch carries the next number: sent again after a time-out it is stored once.
  ask -X POST "$api/runs/$id/telemetry" > "$folder/answer" -d '{"clientId":"shell","sequence":'$sequence',
    "steps":{"step":['"$s"'],"loss":['"$l"'],"learningRate":['"$r"']}}'
  step=$((step + 20)) sequence=$((sequence + 1))
done
# The last answer asks the job to finish; it says that it has.
action=$(sed 's/.*"actions":\[//' "$folder/answer" | field id)
ask -X POST "$api/runs/$id/telemetry" > "$folder/answer" -d '{"clientId":"shell","sequence":'$sequence',
  "acknowledgements":[{"actionId":"'"$action"'","status":"done","step":'$step'}]}'
ask "$api/runs/$id" | field headline
echo
echo "fitted y = $weights"
