#!/bin/sh
# Predicted against measured iteration times of a small GPT on four namespaced hosts (root, iproute2, cgroups).
#   bench/planner-processes.sh run even|uneven FOLDER     measure a layout (about 3 minutes) and compare
#   bench/planner-processes.sh show FILE.json ...         compare recorded outcomes again
# BUSY and QUIET name wrappers for the build and for the measurement, where a machine is shared.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
export OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=passive
unset OPENBLAS_CORETYPE
list=$root/planner/target/test-classpath.txt
(cd "$root" && ${BUSY:-} mvn -o -q -B -pl planner -am -DskipTests -Djacoco.skip=true test-compile \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath -DincludeScope=test -Dmdep.outputFile=target/test-classpath.txt)
exec ${QUIET:-} "$java" --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -Xmx256m \
  -cp "$root/planner/target/test-classes:$root/planner/target/classes:$(cat "$list")" \
  io.spillway.planner.measure.PredictedAgainstMeasured "$@"
