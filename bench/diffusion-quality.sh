#!/bin/sh
# Quality against bytes of every strategy on our two models on this CPU, one more image of every class in every cell
# each round, so that the tables are whole early and sharpen as time is given. Stopped at any moment, it goes on there.
#   bench/diffusion-quality.sh FOLDER SECONDS [ROUNDS [MODEL ...]]
# CELLS picks cells, a regular expression over NAME/RANKS/STEPS/WARM-UP. Kept results: docs/results/diffusion-quality. On GPUs: bench/gpu/diffusion-quality.sh.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
[ $# -ge 2 ] || { sed -n 2,5p "$0" >&2; exit 2; }
folder=$1
seconds=$2
rounds=${3:-8}
shift 2
[ $# -eq 0 ] || shift
mkdir -p "$folder"
export OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=passive
unset OPENBLAS_CORETYPE
"$root/spillway" --version >/dev/null # builds what is not built
for model in ${*:-shapes-dit shapes-unet}; do
  "${JAVA_HOME:+$JAVA_HOME/bin/}java" --enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector -Xlog:disable \
    -XX:+UseSerialGC -Xmx1g -Dspillway.root="$root" -cp "$(cat "$root/cli/target/classpath.txt")" \
    "$root/bench/DiffusionGrid.java" "$model" "$folder/$model.json" "$seconds" "$rounds" "${CELLS:-.*}"
done
