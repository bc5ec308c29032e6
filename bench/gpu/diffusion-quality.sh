#!/bin/sh
# Quality against bytes of every strategy on the two models that we trained, ranks as threads of one process for each model,
# both at the same time, on one GPU each where there are two; the most telling cells first, then the ablations.
#   bench/gpu/diffusion-quality.sh [--seconds N] [--cpu] [--images N] [--cells REGEX] [--after EARLIER.json] [OUT.json]
# No cell begins after N seconds (250), a run lasts at most 30 more. What an earlier OUT.json holds is kept (--after), so that
# a second run goes on where the first one ended. --images bounds a cell's images, --cells picks some by NAME/RANKS/STEPS/WARM-UP.
# Beside OUT.json: OUT-MODEL.png, a sheet of images and error maps. SPILLWAY_MODELS: other models than shapes-dit and shapes-unet.
set -u
seconds=250 device=cuda images=0 cells=. earlier=
while [ $# -gt 0 ]; do
  case $1 in
  --seconds) seconds=$2; shift 2 ;;
  --cpu) device=cpu; shift ;;
  --images) images=$2; shift 2 ;;
  --cells) cells=$2; shift 2 ;;
  --after) earlier=$2; shift 2 ;;
  -*) sed -n 2,7p "$0" >&2; exit 2 ;;
  *) break ;;
  esac
done
[ -z "$earlier" ] || [ -f "$earlier" ] || { echo "no earlier results at $earlier" >&2; exit 2; }
out=${1:-diffusion-quality.json}
case $out in */*) ;; *) out=./$out ;; esac
stem=${out%.json}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
visible=$(printf %s "${CUDA_VISIBLE_DEVICES:-}" | tr "," "\n" | grep -c .)
gpus=$([ "$visible" -gt 0 ] && echo "$visible" || nvidia-smi -L 2>/dev/null | wc -l)
models=${SPILLWAY_MODELS:-shapes-dit shapes-unet}
index=0
for model in $models; do
  at=cpu
  [ "$device" = cpu ] || at=cuda:$((gpus > 1 ? index % gpus : 0))
  index=$((index + 1))
  timeout -k 5 $((seconds + 25)) "$root/bench/gpu/spillway" --bench DiffusionQuality "$model" "$at" "$images" "$seconds" \
    "$stem-$model" "${earlier:-none}" "$cells" > "$stem-$model.txt" 2>&1 &
done
wait
first=1
{
  echo '{"models":['
  for model in $models; do
    [ -f "$stem-$model.json" ] || continue
    [ "$first" = 1 ] || echo ,
    first=0
    cat "$stem-$model.json"
  done
  echo ']}'
} > "$out.part" && mv "$out.part" "$out"
for model in $models; do
  echo "== $model"
  cat "$stem-$model.txt"
  rm -f "$stem-$model.json" "$stem-$model.txt"
done
echo "results: $out"
