#!/bin/sh
# Trains the two image models that are shipped, at the same time on one GPU, and judges 256 samples of each.
#   bench/gpu/diffusion-models.sh OUT_DIR SECONDS [DEVICE]     SECONDS: for everything; DEVICE: cuda:0 unless given
# OUT_DIR gets shapes-dit.tar and shapes-unet.tar (diffusers folders with sheet.png, judge.json, train.log) and
# diffusion-models.json; checkpoints stay in $TMPDIR.
set -u
out=${1:?a folder for the results}
seconds=${2:?seconds for everything}
device=${3:-cuda:0}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
spillway="$root/bench/gpu/spillway"
images=${IMAGES:-256}
reserve=${RESERVE:-75} # seconds for two starts of Java and the judging
mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd -P)
work=$(mktemp -d)
began=$(date +%s)
cores=$(nproc)
threads=${THREADS:-$((cores > 8 ? cores / 4 : 1))}
[ "$threads" -le 24 ] || threads=24

# one model: train, again in f32 if bf16 failed, judge, pack
one() {
  kind=$1
  folder="$work/shapes-$kind"
  mkdir -p "$folder"
  for type in ${TYPES:-BF16 F32}; do
    left=$((seconds - reserve - ($(date +%s) - began)))
    [ "$left" -gt 5 ] || left=5
    # shellcheck disable=SC2086
    timeout -k 20 $((left + 45)) "$spillway" diffuse train --kind "$kind" --out "$folder" --time-limit "$left" --device "$device" \
      --type "$type" --drawing-threads "$threads" --json ${TRAIN_OPTIONS:-} >"$folder/train.json" 2>"$folder/train.log" && break
    echo "$kind in $type failed: $(tail -n 3 "$folder/train.log")"
    [ -e "$folder/model_index.json" ] || rm -f "$folder/checkpoint.safetensors"
  done
  timeout -k 5 $((reserve * 3 / 4)) "$spillway" diffuse judge --model "$folder" --images "$images" --guidance 3 --steps 25 --device "$device" \
    --sheet "$folder/sheet.png" --json --quiet >"$folder/judge.json" 2>>"$folder/train.log" ||
    echo "$kind was not judged: $(tail -n 3 "$folder/train.log")"
  tail -c 4000 "$folder/train.log" >"$folder/log.tmp" && mv "$folder/log.tmp" "$folder/train.log"
  tar -C "$work" --exclude checkpoint.safetensors -cf "$out/shapes-$kind.tar" "shapes-$kind"
}

one dit &
dit=$!
one unet &
unet=$!
wait $dit
wait $unet
{
  printf '{"gpu": "%s",\n' "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)"
  for kind in dit unet; do
    for part in train judge; do
      printf '"%s-%s": %s,\n' "$kind" "$part" "$(cat "$work/shapes-$kind/$part.json" 2>/dev/null | grep . || echo null)"
    done
  done
  printf '"seconds": %s}\n' $(($(date +%s) - began))
} >"$out/diffusion-models.json"
cat "$out/diffusion-models.json"
ls -l "$out"
rm -rf "$work"
