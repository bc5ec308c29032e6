#!/bin/sh
# Long prompts on one GPU in the shape of Llama-3.1-8B with random bf16 weights: prefill and decode rates and peak memory
# for several policies and cache storages, with the GPU's matrix rate and copy bandwidth from the same run.
#   bench/gpu/longcontext.sh [--quick|--steps|--rehearse|--million] [OUT.json]
# --steps: single tokens only; --rehearse: tiny, on the CPU; --million: one prompt of 1M tokens
set -u
kind=
case ${1:-} in --quick) kind=quick; shift ;; --steps) kind=steps; shift ;; --rehearse) kind=rehearse; shift ;; --million) kind=million; shift ;; esac
out=${1:-${OUT:-longcontext-gpu.json}}
case $out in */*) ;; *) out=./$out ;; esac
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
seconds=130
[ "$kind" != quick ] || seconds=45
[ "$kind" != rehearse ] || seconds=60
SPILLWAY_JAVA_OPTIONS="-Xmx8g ${SPILLWAY_JAVA_OPTIONS:-}" timeout $((seconds + 20)) \
  "$root/bench/gpu/spillway" --bench LongContext "$out" "$seconds" $kind || echo "longcontext ended early (status $?)" >&2
