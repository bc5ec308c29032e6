#!/bin/sh
# SDXL's UNet and DiT-XL/2 with random weights on the GPUs of this host (1, 2, 4 or 8): a step on one GPU beside Python's torch,
# one rank's strips for 2, 4 and 8, every strategy over NCCL with one process a GPU, the links, predictions for more GPUs.
#   bench/gpu/diffusion.sh [--quick|--graph|--rehearse] [OUT.json]    --rehearse: tiny, on CPUs over Gloo; SPILLWAY_GPUS=N: the first N
# --graph: instead, steps recorded as CUDA graphs beside steps that are not, and that both give the same image (exit 1 if not).
set -u
kind=full
case ${1:-} in --quick) kind=quick; shift ;; --graph) kind=graph; shift ;; --rehearse) kind=rehearse; shift ;; esac
out=${1:-${OUT:-diffusion-gpu.json}}
case $out in */*) ;; *) out=./$out ;; esac
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
spillway=$root/bench/gpu/spillway
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export NCCL_NVLS_ENABLE=0 # NVLink multicast is not to be had on every host
visible=$(printf %s "${CUDA_VISIBLE_DEVICES:-}" | tr "," "\n" | grep -c .)
gpus=${SPILLWAY_GPUS:-$([ "$visible" -gt 0 ] && echo "$visible" || nvidia-smi -L 2>/dev/null | wc -l)}
[ "$kind" != rehearse ] || gpus=${SPILLWAY_GPUS:-2}
[ "$gpus" -ge 1 ] || { echo "no GPU: nvidia-smi lists none" >&2; exit 3; }
limit=215
[ "$kind" != quick ] || limit=62
[ "$kind" != graph ] || limit=180
end=$(($(date +%s) + limit))
left() { echo $((end - $(date +%s))); }

if [ "$kind" != graph ]; then
  echo "== peer: Python's torch on one GPU"
  timeout "$([ "$kind" = quick ] && echo 25 || echo 60)" python3 "$root/bench/gpu/diffusion_peer.py" "$work/peer.json" \
    $([ "$kind" = full ] || echo "--$kind") || echo "the peer ended early (status $?)" >&2
fi
echo "== Spillway on $gpus"
# a part that ends the processes is not begun again, the others are
for try in 1 2 3 4; do
  [ "$(left)" -gt 15 ] || { echo "out of time before try $try" >&2; break; }
  if [ "$gpus" = 1 ]; then
    timeout -k 5 "$(left)" "$spillway" --bench DiffusionGpu "$kind" "$work" && break
  else
    timeout -k 5 "$(left)" "$spillway" launch --nproc "$gpus" -- "$spillway" --bench DiffusionGpu "$kind" "$work" && break
  fi
  echo "ended in part: $(tail -n 1 "$work/begun" 2>/dev/null)" >&2
  [ -s "$work/begun" ] || break
done
"$spillway" --bench DiffusionGpuReport "$work" "$out" && echo "results: $out"
! grep -qs 'recorded steps differ' "$work"/results-*.jsonl
