#!/bin/sh
# Measures the training system: run.sh kernel | schedules | scan. Build first: ./spillway --version
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
class_path=${CLASS_PATH:-$(cat "$root/cli/target/classpath.txt")}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
unset OPENBLAS_CORETYPE
export OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=passive
case ${1:-} in
  kernel) file=KernelBench ;;
  schedules | scan) file=ScheduleBench ;;
  *) echo "usage: run.sh kernel | schedules | scan" >&2; exit 2 ;;
esac
exec "$java" --enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector \
  --sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC -Xmx2g -cp "$class_path" \
  "$root/bench/training/$file.java" "$1"
