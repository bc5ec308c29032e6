#!/bin/sh
# Holds our image models on a GPU against torch in Python (the text encoders: transformers), f32 and bf16; about 40 s.
#   bench/gpu/diffusion-parity.sh [OUT.json] [--quick]      DEVICE=cpu for a rehearsal, PYTHON for another interpreter
set -u
out=diffusion-parity.json
for a in "$@"; do case $a in --quick) ;; *) out=$a ;; esac; done
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
device=${DEVICE:-cuda:0}
work=$(mktemp -d)
timeout 50 "$root/bench/gpu/spillway" --bench DiffusionParity "$work" "$device" || echo "DiffusionParity ended with $?"
timeout 50 "${PYTHON:-python3}" "$root/bench/gpu/diffusion-parity.py" "$work" "$device" "$out"
status=$?
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null
rm -rf "$work"
exit $status
