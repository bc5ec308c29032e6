#!/bin/sh
# Times every strategy of a diffusion model on 1, 2, 4 or 8 GPUs of this host, one process a GPU over NCCL.
#   bench/gpu/diffusion.sh MODEL-FOLDER SIZE [OUT]      for example: bench/gpu/diffusion.sh models/dit-xl 1024 results.jsonl
# Each line of OUT is the JSON answer of one run: strategy, ranks, seconds, bytes received, buffers.
set -eu
model=${1:?a diffusers folder with a class-conditional model on pixels, or shapes-dit}
size=${2:?pixels along a side}
out=${3:-diffusion-gpu.jsonl}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
gpus=$(nvidia-smi -L | wc -l)
: > "$out"
"$root/spillway" diffuse --model "$model" --size "$size" --steps 50 --device cuda --json --quiet --out /tmp/spillway-bench.png >> "$out"
for n in 2 4 8; do
  [ "$n" -le "$gpus" ] || continue
  for strategy in naive distrifusion distrifusion-x pcpp pcpp-pool pcpp-pool-x ulysses ring mesh pipefusion tensor; do
    "$root/spillway" launch --nproc "$n" -- "$root/spillway" diffuse --model "$model" --size "$size" --steps 50 --device cuda \
      --strategy "$strategy" --json --quiet --out /tmp/spillway-bench.png >> "$out" || echo "$strategy on $n GPUs did not run" >&2
  done
done
echo "results: $out"
