#!/bin/sh
# The liquid in batches through libtorch on one GPU beside the event-driven engine on the cores: the same spikes, events a second.
#   bench/gpu/reservoir.sh [--quick|--rehearse] [OUT.json]    --rehearse: few recordings, on the CPU
# SPILLWAY_NMNIST=FOLDER takes genuine recordings; without it digits are drawn.
set -u
device=cuda recordings=4096
case ${1:-} in --quick) recordings=1024; shift ;; --rehearse) device=cpu recordings=24; shift ;; esac
out=${1:-${OUT:-reservoir-gpu.json}}
case $out in */*) ;; *) out=./$out ;; esac
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
SPILLWAY_JAVA_OPTIONS="-Xmx8g ${SPILLWAY_JAVA_OPTIONS:-}" timeout 240 \
  "$root/bench/gpu/spillway" --bench ReservoirGpu "$out" "$device" "$recordings" ${SPILLWAY_NMNIST:+"$SPILLWAY_NMNIST"} ||
  { echo "reservoir ended early (status $?)" >&2; exit 1; }
