#!/bin/sh
# Predicted against measured latency of strategies on our DiT, one process a namespaced host behind a shaped link
# (root, iproute2, taskset).
#   bench/diffusion-links.sh run FOLDER RANKS MBIT     measure one layout (90 s) and compare; MBIT is one rate or one a rank, as 200+800
#   bench/diffusion-links.sh show FILE.json ...        compare recorded layouts again
# BUSY and QUIET name wrappers for the build and for the measurement, where a machine is shared.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
export OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=passive
unset OPENBLAS_CORETYPE
list=$root/diffusion/target/test-classpath.txt
(cd "$root" && ${BUSY:-} mvn -o -q -B -pl diffusion -am -DskipTests -Djacoco.skip=true test-compile \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath -DincludeScope=test -Dmdep.outputFile=target/test-classpath.txt)
exec ${QUIET:-} "$java" --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -Xmx256m \
  -cp "$root/diffusion/target/test-classes:$root/diffusion/target/classes:$(cat "$list")" \
  io.spillway.diffusion.parallel.PredictedOnLinks "$@"
