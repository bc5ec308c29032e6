#!/bin/sh
# Trains the model that comes along and its retaining heads on one GPU within a time.
#   bench/gpu/longcontext-model.sh OUT-DIR SECONDS [--quick]
# OUT-DIR gets model.tar (folder with the weights, tokenizer and log) and heads.tar (files of heads and their logs).
# FROM=DIR goes on from a model's weights, at a lower rate with an eighth of the length in some rows; HEADS_FROM=DIR goes on from KIND.safetensors there.
# KINDS: the heads, trained beside each other: paper, value (weighted by softmax and value), linked (value, and what needed tokens read), with -loop (eviction while training).
# --quick: a small model on whatever device there is, to try the script.
set -u
out=${1:?a folder for the results}
seconds=${2:?seconds for everything, at least 60}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
spillway=$here/spillway
export RUST_FLAVOR=cpu # the tokenizer library has CPU natives only
mkdir -p "$out" && out=$(CDPATH='' cd -- "$out" && pwd)
work=$(mktemp -d) && mkdir -p "$work/model" "$work/heads"
kinds=${KINDS:-paper loop value value-loop}
device=cuda model='--threads 8' retain='' # our defaults are made for a GPU
if [ "${3:-}" = --quick ]; then
  device=auto model='--hidden 128 --layers 2 --length 384 --tokens 1536 --examined 2 --examine-every 5' retain='--width 32' kinds='paper loop'
fi
[ -z "${FROM:-}" ] || model="$model --from $FROM --rate 5e-4"
heads=$((seconds * ${HEADS_SHARE:-23} / 100))
training=$((seconds - heads - 24)) # two starts of a JVM with CUDA, and the packing
echo "model: $training s, heads: $heads s"
# shellcheck disable=SC2086
timeout $((training + 45)) "$spillway" longcontext train-model --out "$work/model" --time-limit "$training" --device "$device" $model \
  >"$work/model/train.log" 2>&1 || { echo "the training of the model failed:"; grep -m 3 -E 'Exception|Error|error' "$work/model/train.log"; }
tail -n 16 "$work/model/train.log"
tar -cf "$out/model.tar" -C "$work" --exclude training.checkpoint model
# the memory of four small processes fits beside each other; each makes its examples on two threads
for kind in $kinds; do
  options=''
  case $kind in *loop) options="$options --in-loop" ;; esac
  case $kind in *value*) options="$options --label value_weighted" ;; *linked*) options="$options --label linked" ;; esac
  [ ! -f "${HEADS_FROM:-/nowhere}/$kind.safetensors" ] || options="$options --from $HEADS_FROM/$kind.safetensors --rate 1e-3"
  # shellcheck disable=SC2086
  SPILLWAY_JAVA_OPTIONS="${SPILLWAY_JAVA_OPTIONS:-} -Xmx2g" timeout $((heads + 40)) "$spillway" retain train --model "$work/model" \
    --out "$work/heads/$kind.safetensors" --time-limit "$heads" --batch 4 --device "$device" --threads 2 $retain $options \
    >"$work/heads/$kind.log" 2>&1 &
done
wait
for log in "$work"/heads/*.log; do echo "$(basename "$log" .log): $(tail -n 1 "$log")"; done
tar -cf "$out/heads.tar" -C "$work" heads
ls -l "$out"
rm -rf "$work"
