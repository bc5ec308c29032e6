#!/bin/bash
# Functional speed beside qemu-riscv64, in turn: wall and CPU seconds of whole processes, both with their start; ours with
# the compilation that HotSpot does on other threads.
#   bench/simulator-functional.sh [REPEATS] [PROGRAM ARGS...]     one CSV row per run and the geometric means
#   SPILLWAY   the launcher to measure, default the repository's ./spillway
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
programs=$root/simulator/workloads/programs
spillway=${SPILLWAY:-$root/spillway}
repeats=${1:-2}
[ $# -eq 0 ] || shift
rows=$(mktemp)
TIMEFORMAT='%R %U %S'
echo "program,repeat,instructions,qemu_wall_s,qemu_cpu_s,spillway_wall_s,spillway_cpu_s,wall_ratio,cpu_ratio"
list="cg W;mg W;lu W;bt W;ep W;is W;tc kronecker 14;pr uniform 16;bfs kronecker 17;stream 100 500"
[ $# -eq 0 ] || list="$*"
for repeat in $(seq "$repeats"); do
  IFS=';'
  for line in $list; do
    IFS=' '
    read -ra words <<<"$line"
    file=$programs/${words[0]}
    qemu=$({ time qemu-riscv64 "$file" "${words[@]:1}" >/dev/null; } 2>&1)
    out=$(mktemp)
    ours=$({ time "$spillway" simulate run --json "$file" "${words[@]:1}" >"$out"; } 2>&1)
    count=$(sed -n 's/.*"instructions" : \([0-9]*\).*/\1/p' "$out")
    rm "$out"
    echo "$qemu $ours" | awk -v n="$line" -v r="$repeat" -v c="$count" \
      '{ q = $2 + $3; s = $5 + $6; printf "%s,%d,%s,%.3f,%.3f,%.3f,%.3f,%.2f,%.2f\n", n, r, c, $1, q, $4, s, $1 / $4, q / s }' |
      tee -a "$rows"
  done
done
awk -F, '{ w += log($8); c += log($9); n++ } END { printf "geometric mean qemu/spillway: wall %.2f, CPU %.2f over %d runs (above 1: spillway is faster)\n", exp(w / n), exp(c / n), n }' "$rows"
rm "$rows"
