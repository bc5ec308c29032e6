#!/bin/sh
# Trains the model that comes along and its retaining heads on one GPU within a time.
#   bench/gpu/longcontext-model.sh OUT-DIR SECONDS [--quick]
# OUT-DIR gets model.tar (folder with the weights, tokenizer and log) and heads.tar (six files of heads and their logs).
# --quick: a small model on whatever device there is, to try the script.
set -u
out=${1:?a folder for the results}
seconds=${2:?seconds for everything, at least 60}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
spillway=$here/spillway
export RUST_FLAVOR=cpu # the tokenizer library has CPU natives only
mkdir -p "$out" && out=$(CDPATH='' cd -- "$out" && pwd)
work=$(mktemp -d) && mkdir -p "$work/model" "$work/heads"
device=cuda big='--threads 8' long='' # our defaults are made for a GPU
if [ "${3:-}" = --quick ]; then
  device=auto big='--hidden 128 --layers 2 --length 384 --tokens 1536 --examined 2 --examine-every 5' long='--width 32'
fi
heads=$((seconds * 23 / 100))
training=$((seconds - heads - 24)) # two starts of a JVM with CUDA, and the packing
echo "model: $training s, heads: $heads s"
# shellcheck disable=SC2086
timeout $((training + 45)) "$spillway" longcontext train-model --out "$work/model" --time-limit "$training" --device "$device" $big \
  >"$work/model/train.log" 2>&1 || echo "the training of the model failed"
tail -n 16 "$work/model/train.log"
tar -cf "$out/model.tar" -C "$work" --exclude training.checkpoint model
# the memory of six small processes fits beside each other; each makes its examples on two threads
retain() {
  name=$1
  shift
  # shellcheck disable=SC2086
  SPILLWAY_JAVA_OPTIONS="${SPILLWAY_JAVA_OPTIONS:-} -Xmx2g" timeout $((heads + 40)) "$spillway" retain train --model "$work/model" \
    --out "$work/heads/$name.safetensors" --time-limit "$heads" --batch 4 --device "$device" --threads 2 $long "$@" \
    >"$work/heads/$name.log" 2>&1 || echo "$name failed" >>"$work/heads/$name.log"
}
if [ "${3:-}" != --quick ]; then
  retain query --question-first &
  retain query-loop --question-first --in-loop &
  retain value --label value_weighted &
  retain value-loop --label value_weighted --in-loop &
fi
retain paper &
retain loop --in-loop &
wait
for log in "$work"/heads/*.log; do echo "$(basename "$log" .log): $(tail -n 1 "$log")"; done
tar -cf "$out/heads.tar" -C "$work" heads
ls -l "$out"
rm -rf "$work"
