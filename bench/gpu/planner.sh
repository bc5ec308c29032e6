#!/bin/sh
# Links over NCCL and a GPT under tensor, pipeline and data parallelism on two GPUs: predicted beside measured.
#   bench/gpu/planner.sh [--quick|--rehearse] [OUT.json]    --rehearse: tiny, on CPUs over Gloo
set -u
kind=
case ${1:-} in --quick) kind=quick; shift ;; --rehearse) kind=rehearse; shift ;; esac
out=${1:-${OUT:-planner-gpu.json}}
case $out in */*) ;; *) out=./$out ;; esac
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
spillway=$root/bench/gpu/spillway
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TORCH_CPP_LOG_LEVEL=ERROR # torch warns of each pair's communicator
export NCCL_NVLS_ENABLE=0 # NVLink multicast is not to be had on every host
backend=nccl
device=cuda
[ "$kind" != rehearse ] || { backend=gloo; device=cpu; }
sizes=4KiB,64KiB,1MiB,8MiB,64MiB,256MiB
[ "$kind" != rehearse ] || sizes=4KiB,64KiB,1MiB
echo "== profile over $backend"
timeout 35 "$spillway" launch --nproc 2 -- "$spillway" profile --backend "$backend" --sizes "$sizes" --seconds 0.05 \
  --out "$work/cluster.yaml" 2>&1 | tee "$work/profile.txt" || echo "profile did not run" >&2
[ ! -f "$work/cluster.yaml" ] || cat "$work/cluster.yaml"
cat "$work/profile.txt" "$work/cluster.yaml" > "$work/profile.all" 2>/dev/null
echo "== training on $device"
"$spillway" --bench PlannerGpu plan "$work/plan.json" $kind
timeout "$([ "$kind" = quick ] && echo 60 || echo 95)" "$spillway" launch --nproc 2 -- \
  "$spillway" --bench PlannerGpu rank "$work/plan.json" "$work/outcome.json" 2>&1 || echo "training ended early (status $?)" >&2
[ -f "$work/outcome.json" ] || { echo "no cut was measured" >&2; exit 1; }
"$spillway" --bench PlannerGpu show "$work/outcome.json" "$work/profile.all" "$out" && echo "results: $out"
