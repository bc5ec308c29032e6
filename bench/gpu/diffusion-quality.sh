#!/bin/sh
# Quality against bytes of every strategy on the two models that we trained, ranks as threads of one process for each model,
# on one GPU each (both on one, one after the other, where there is one). Ablations over p, pools, warm-up and steps.
#   bench/gpu/diffusion-quality.sh [--quick|--rehearse] [OUT.json]    beside OUT.json: OUT-MODEL.png, a sheet of images and error maps
set -u
kind=full
case ${1:-} in --quick) kind=quick; shift ;; --rehearse) kind=rehearse; shift ;; esac
out=${1:-${OUT:-diffusion-quality.json}}
case $out in */*) ;; *) out=./$out ;; esac
stem=${out%.json}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
spillway=$root/bench/gpu/spillway
seconds=165
[ "$kind" != quick ] || seconds=35
visible=$(printf %s "${CUDA_VISIBLE_DEVICES:-}" | tr "," "\n" | grep -c .)
gpus=$([ "$visible" -gt 0 ] && echo "$visible" || nvidia-smi -L 2>/dev/null | wc -l)
models=${SPILLWAY_MODELS:-shapes-dit shapes-unet}
index=0
for model in $models; do
  device=cuda:$index
  [ "$kind" != rehearse ] || device=cpu
  [ "$gpus" -ge 2 ] || share=$((seconds / 2))
  timeout -k 5 $((seconds + 25)) "$spillway" --bench DiffusionQuality "$model" "$device" "$kind" "${share:-$seconds}" "$stem-$model" \
    > "$stem-$model.txt" 2>&1 &
  if [ "$gpus" -ge 2 ]; then index=$(((index + 1) % gpus)); else wait $!; fi
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
} > "$out"
for model in $models; do
  echo "== $model"
  cat "$stem-$model.txt"
  rm -f "$stem-$model.json" "$stem-$model.txt"
done
echo "results: $out"
