#!/bin/sh
# Accuracy of every cache policy at every budget on the model that comes along, on one GPU, the most important cells first.
#   bench/gpu/longcontext-eval.sh OUT.json [--quick]       at most 180 seconds (SECONDS_ALLOWED changes that)
# Further files of heads to compare, for example of bench/gpu/longcontext-model.sh: HEADS="a.safetensors b.safetensors".
# OUT.json gets one object: the machine, and the cells of each part as `longcontext eval --json` gives them.
set -u
out=${1:?a file for the results}
quick=${2:-}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
spillway=$here/spillway
export RUST_FLAVOR=cpu # the tokenizer library has CPU natives only
allowed=${SECONDS_ALLOWED:-180}
begin=$(date +%s)
work=$(mktemp -d)
main=full,locret,h2o,snapkv,streaming,sirllm,random
device=cuda samples=100 batch=100 long=100
if [ "$quick" = --quick ]; then device=auto samples=2 batch=2 long=2 main=full,locret,h2o; fi
part() {
  name=$1 share=$2
  shift 2
  left=$((begin + allowed - $(date +%s)))
  limit=$((share < left ? share : left))
  [ "$limit" -gt 8 ] || { echo "$name: no time left"; return; }
  (cd "$work" && timeout $((limit + 15)) "$spillway" longcontext eval --device "$device" --batch "$batch" --time-limit $((limit - 6)) \
    --json --quiet "$@" >"$name.json" 2>"$name.log") || { echo "$name failed:"; tail -n 5 "$work/$name.log"; }
  echo "$name: $(grep -c '"task"' "$work/$name.json") cells, $(($(date +%s) - begin)) s"
}
tasks=passkey,number,single-key,multi-key,kv,multi-value,multi-query,multi-turn,variables,common-words,frequent-words
if [ "$quick" = --quick ]; then tasks=passkey,multi-key; fi
part in-length 55 --tasks $tasks --policies $main --budgets 128,64,32,26 --lengths 512 --samples $samples
part times-16 25 --tasks passkey,number,single-key,multi-key --policies $main --budgets 128,64,32 --lengths 8192 --samples $long
part query 12 --tasks multi-key,kv,multi-turn,single-key --policies locret,locret-q --budgets 128,64 --lengths 512,8192 --samples $samples
part times-64 40 --tasks passkey,number,single-key --policies $main --budgets 64,128 --lengths 32768 --samples $((long * 2 / 5 > 1 ? long * 2 / 5 : 1))
part held-out 12 --tasks passkey,number,single-key --policies $main --budgets 64 --lengths 512,8192 --samples $samples --templates held_out --filler held_out
part others 30 --tasks $tasks --policies snapkv-whole,tova,expected,oracle,infllm --budgets 64 --lengths 512 --samples $((samples * 2 / 5 > 1 ? samples * 2 / 5 : 1))
for heads in ${HEADS:-}; do
  part "heads-$(basename "$heads" .safetensors)" 15 --heads "$heads" --tasks passkey,number,single-key,multi-value --policies locret --budgets 64,32,26 \
    --lengths 512,8192 --samples $samples
done
{
  printf '{"machine": "%s", "seconds": %s' "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)" $(($(date +%s) - begin))
  for file in "$work"/*.json; do
    [ -s "$file" ] || continue
    printf ',\n"%s": ' "$(basename "$file" .json)"
    cat "$file"
  done
  echo '}'
} >"$out"
rm -rf "$work"
echo "results: $out"
