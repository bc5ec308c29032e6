#!/bin/bash
# Offloaded training on one GPU, and on two with a partitioned optimizer: bits, phases, link use, predictions.
#   bench/gpu/training.sh [--quick|--two] OUT.json      --two: only the optimizer partitioned over two GPUs
# Parts (each under a time limit, a failing one does not stop the others): kernels and schedules against the scalar twin;
# torch's AdamW on the same gradients; llama shapes of 1B, 3.4B and 6B under a budget of half of what all of Adam needs
# (16 bytes a parameter), every schedule in one run; all-gpu without a budget; ZeRO-1 over two ranks.
# DEVICE=cpu rehearses it without a GPU (simulated device, tiny shapes, no parity part).
set -u
quick= two=
case ${1:-} in --quick) quick=1; shift ;; --two) two=1; shift ;; esac
out=${1:-${OUT:-training.json}}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
spillway=$root/bench/gpu/spillway
device=${DEVICE:-cuda}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
limit=200; [ -n "$quick" ] && limit=60
deadline=$((SECONDS + limit))
threads=$(($(nproc) > 3 ? $(nproc) - 2 : $(nproc)))
export CUBLAS_WORKSPACE_CONFIG=:4096:8

# part NAME SECONDS COMMAND...: runs it with what time is left, keeps its output
part() {
  local name=$1 limit=$2; shift 2
  local left=$((deadline - SECONDS)); [ "$left" -lt "$limit" ] && limit=$left
  if [ "$limit" -lt 5 ]; then echo "== $name: no time left"; echo "no time left" >"$work/$name.err"; return; fi
  echo "== $name"
  local begin=$SECONDS
  timeout -k 3 "$limit" "$@" >"$work/$name.txt" 2>"$work/$name.err"
  local rc=$?
  echo "$rc" >"$work/$name.rc"
  [ "$rc" = 0 ] || { echo "exit $rc"; tail -n 15 "$work/$name.err"; }
  echo "   ($((SECONDS - begin)) s)"
}

# shape NAME layers hidden ffn heads kv-heads: writes config.json
shape() {
  mkdir -p "$work/$1"
  cat >"$work/$1/config.json" <<JSON
{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": ${7:-32000}, "hidden_size": $3,
 "num_hidden_layers": $2, "num_attention_heads": $5, "num_key_value_heads": $6, "intermediate_size": $4,
 "max_position_embeddings": 4096, "tie_word_embeddings": false, "rms_norm_eps": 1e-5}
JSON
}
shape tiny 2 64 176 4 2 1000
shape 0.2b 6 1024 2816 16 16
shape 1b 22 2048 5632 32 4
shape 3.4b 28 3072 8192 24 24
shape 6b 28 4096 11008 32 32

# compare NAME SECONDS SHAPE BUDGET SCHEDULES STEPS [more options]
compare() {
  local name=$1 limit=$2 model=$3 budget=$4 schedules=$5 steps=$6; shift 6
  local where=(--device cuda --sequence 2048)
  [ -n "$budget" ] && where+=(--gpu-memory "$budget")
  [ "$device" = cpu ] && where=(--simulate-device "memory=${budget:-100MB},link=500MB/s,host-update=3e7" --sequence 64)
  local launch=()
  [ "$LAUNCH_RANKS" -gt 1 ] && launch=("$spillway" launch --nproc "$LAUNCH_RANKS" --)
  part "$name" "$limit" ${launch[@]+"${launch[@]}"} "$spillway" train compare --json --model "$work/$model/config.json" --schedules "$schedules" \
    --steps "$steps" --micro-batch 1 --activation-checkpointing --cpu-threads $((LAUNCH_RANKS > 1 ? threads / 2 : threads)) "${where[@]}" "$@"
  python3 "$root/bench/gpu/training.py" show "$work/$name.txt"
}
LAUNCH_RANKS=1

every=auto,auto:0,stride:2,twinflow,zero-offload
if [ "$device" = cpu ]; then
  compare tiny 60 tiny 1MB $every 3
  compare tiny-exact 60 tiny '' all-gpu,fraction:0.4:0.2,stride:2,zero-offload,twinflow:0.5 2 --deterministic
  LAUNCH_RANKS=2 compare tiny-two 60 tiny 1MB auto,zero-offload 2
else
  gpus=$(tr , '\n' <<<"${CUDA_VISIBLE_DEVICES:-$(nvidia-smi -L)}" | grep -c .)
  # shape/budget (0: all)/schedules/steps/options: s checksum, d deterministic passes, h split master
  if [ -n "$quick" ]; then
    parts=("0.2b/2500000000/auto,zero-offload,stride:2/2/s")
    main=40
  else
    parts=("1b/8800000000/$every/5/" "1b/0/all-gpu,fraction:0.4:0.2,zero-offload/3/sd" "3.4b/27000000000/auto,zero-offload,stride:2/3/"
      "1b/8800000000/auto,auto:0/3/h" "6b/48000000000/auto,zero-offload/2/" "3.4b/0/all-gpu/2/" "3.4b/27000000000/twinflow,auto:0/2/")
    main=145
  fi
  export SPILLWAY_JAVA_OPTIONS="${SPILLWAY_JAVA_OPTIONS:-} -XX:+UseParallelGC"
  if [ -z "$two" ]; then
    part bench "$main" "$spillway" --bench TrainingBench cuda "$work/bench.json" "$work" "$work/reference" "$((main - 8))" "$threads" "${parts[@]}"
    cat "$work/bench.txt"
    python3 "$root/bench/gpu/training.py" show "$work/bench.json"
    part adam 25 python3 "$root/bench/gpu/adam.py" "$work/reference" "$work/adam.json"
    cat "$work/adam.txt"
  fi
  if [ "$gpus" -gt 1 ] && [ -n "$quick" ]; then LAUNCH_RANKS=2 compare 0.2b-two 30 0.2b 2500MB auto,zero-offload 2; fi
  if [ "$gpus" -gt 1 ] && [ -z "$quick" ]; then LAUNCH_RANKS=2 compare 1b-two 90 1b 8800MB auto,zero-offload 3; fi
fi
python3 "$root/bench/gpu/training.py" merge "$work" "$out"
echo "results: $out"
