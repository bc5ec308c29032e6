#!/bin/sh
# Accuracy of every cache policy at every budget on the model that comes along, on one GPU, the most important cells first.
#   bench/gpu/longcontext-eval.sh OUT.json [--quick]       at most 180 seconds (SECONDS_ALLOWED changes that and every part's share)
# DEVICE=cpu SECONDS_ALLOWED=2400 SAMPLES=30 LONG_SAMPLES=8: the same without a GPU. PARTS="in-length wrapped": only these. SPILLWAY=CMD: what to call.
# MODEL=DIR: another model with its heads. HEADS="a.safetensors b.safetensors": further heads to compare.
# OUT.json gets one object: the machine, and the cells of each part.
set -u
out=${1:?a file for the results}
quick=${2:-}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
spillway=${SPILLWAY:-$here/spillway}
model=${MODEL:-$here/../../longcontext/model}
model=$(CDPATH='' cd -- "$model" && pwd)
export RUST_FLAVOR=cpu # the tokenizer library has CPU natives only
allowed=${SECONDS_ALLOWED:-180}
begin=$(date +%s)
work=$(mktemp -d)
main=full,locret,locret-q,h2o,snapkv,streaming,sirllm,random
device=${DEVICE:-cuda} samples=${SAMPLES:-100} batch=${BATCH:-100} long=${LONG_SAMPLES:-100} some=${LONG_SAMPLES:-40}
if [ "$quick" = --quick ]; then device=auto samples=2 batch=2 long=2 some=2 main=full,locret,h2o; fi
part() {
  name=$1 share=$2
  shift 2
  case " ${PARTS:-$name} " in *" $name "*) ;; *) return ;; esac
  share=$((share * allowed / 180))
  left=$((begin + allowed - $(date +%s)))
  limit=$((share < left ? share : left))
  [ "$limit" -gt 8 ] || { echo "$name: no time left"; return; }
  (cd "$work" && timeout $((limit + 15)) "$spillway" longcontext eval --model "$model" --device "$device" --batch "$batch" \
    --time-limit $((limit - 6)) --no-plots --journal "$name.jsonl" --quiet "$@" >"$name.table" 2>"$name.log") ||
    { echo "$name failed:"; grep -m 3 -E 'Exception|Error|spillway:' "$work/$name.log"; }
  touch "$work/$name.jsonl"
  echo "$name: $(grep -c . "$work/$name.jsonl") cells, $(($(date +%s) - begin)) s"
}
tasks=passkey,number,single-key,multi-key,kv,multi-value,multi-query,multi-turn,variables,common-words,frequent-words
if [ "$quick" = --quick ]; then tasks=passkey,multi-key; fi
part in-length 60 --tasks $tasks --policies $main --budgets ${BUDGETS:-128,64,32,26} --lengths 512 --samples $samples
part times-16 40 --tasks passkey,number,single-key,multi-key,kv --policies $main --budgets 64,128,32 --lengths 8192 --samples $long
part wrapped 15 --tasks single-key,multi-key,variables,multi-turn --policies locret-plain,locret,locret+ada,locret+merge,locret-q+ada --budgets 64 --lengths 512 --samples $some
part times-64 45 --tasks passkey,number,single-key,multi-key --policies $main --budgets 64,128 --lengths 32768 --samples $some
part held-out 15 --tasks passkey,number,single-key --policies $main --budgets 64 --lengths 512,8192 --samples $samples --templates held_out --filler held_out
for heads in ${HEADS:-}; do
  part "heads-$(basename "$heads" .safetensors)" 15 --heads "$heads" --tasks passkey,number,single-key,multi-value --policies locret --budgets 64,32,26 \
    --lengths 512,8192 --samples $samples
done
part others 30 --tasks $tasks --policies snapkv-whole,tova,expected,oracle,infllm --budgets 64 --lengths 512 --samples $some
{
  printf '{"machine": "%s", "seconds": %s' "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1)" $(($(date +%s) - begin))
  for file in "$work"/*.jsonl; do
    printf ',\n"%s": [' "$(basename "$file" .jsonl)"
    paste -sd, "$file"
    printf ']'
  done
  echo '}'
} >"$out"
rm -rf "$work"
echo "results: $out"
