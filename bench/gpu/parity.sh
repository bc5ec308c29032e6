#!/bin/sh
# Our logits against Python's transformers on small random models of every family, in f32 and bf16, on CPU and GPU.
#   bench/gpu/parity.sh [--quick|--rehearse] [OUT.json]    --rehearse: on the CPU alone
set -u
devices="cpu cuda"
case ${1:-} in --quick) shift ;; --rehearse) devices=cpu; shift ;; esac
out=${1:-${OUT:-parity-gpu.json}}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086
timeout 40 "$root/bench/gpu/spillway" --bench Parity "$work" $devices || echo "writing the models ended early (status $?)" >&2
timeout 60 "${PYTHON:-python3}" "$root/bench/gpu/parity.py" "$work" "$out" || echo "comparing ended early (status $?)" >&2
