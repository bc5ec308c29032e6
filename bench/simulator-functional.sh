#!/bin/bash
# Functional speed beside qemu-riscv64, in turn: wall and CPU seconds of whole processes, both with their start; ours with
# the compilation that HotSpot does on other threads. The programs execute 1.2e9 to 3.4e9 instructions.
#   bench/simulator-functional.sh [REPEATS] ["PROGRAM ARGS;PROGRAM ARGS"]   one CSV row per run, then the median ratio of each
#                                                                     program and the geometric means of these medians
#   SPILLWAY   the launcher to measure, default the repository's ./spillway
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
programs=$root/simulator/workloads/programs
spillway=${SPILLWAY:-$root/spillway}
repeats=${1:-3}
list=${2:-"bt W;stream 100 500;pointer 64 200000;branch 8 100000;tc kronecker 15;pr uniform 18;bfs kronecker 19;cc kronecker 18"}
rows=$(mktemp)
out=$(mktemp)
trap 'rm -f "$rows" "$out"' EXIT
TIMEFORMAT='%R %U %S'
"$spillway" --version >/dev/null
echo "program,repeat,instructions,qemu_wall_s,qemu_cpu_s,spillway_wall_s,spillway_cpu_s,wall_ratio,cpu_ratio"
for repeat in $(seq "$repeats"); do
  IFS=';'
  for line in $list; do
    IFS=' '
    read -ra words <<<"$line"
    file=$programs/${words[0]}
    qemu=$({ time qemu-riscv64 "$file" "${words[@]:1}" >/dev/null; } 2>&1)
    ours=$({ time "$spillway" simulate run --json "$file" "${words[@]:1}" >"$out"; } 2>&1)
    count=$(sed -n 's/.*"instructions" : \([0-9]*\).*/\1/p' "$out")
    echo "$qemu $ours" | awk -v n="$line" -v r="$repeat" -v c="$count" \
      '{ q = $2 + $3; s = $5 + $6; printf "%s,%d,%s,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f\n", n, r, c, $1, q, $4, s, $1 / $4, q / s }' |
      tee -a "$rows"
  done
done
sort -t, -k1,1 -k8,8n "$rows" | awk -F, '
  function flush() { if (k) { m = w[int((k + 1) / 2)]; printf "%s: %s instructions, median wall ratio %.2f (%.2f to %.2f)\n", name, count, m, w[1], w[k]; sum += log(m); n++ } k = 0 }
  $1 != name { flush(); name = $1; count = $3 }
  { w[++k] = $8; cpu += log($9); runs++ }
  END { flush(); printf "geometric mean qemu/spillway: wall %.2f over %d programs, CPU %.2f over %d runs (above 1: spillway is faster)\n", exp(sum / n), n, exp(cpu / runs), runs }'
