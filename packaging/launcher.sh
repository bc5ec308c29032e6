#!/bin/sh
# Starts a packed Spillway with the runtime beside it. SPILLWAY_JAVA_OPTIONS adds options for the virtual machine;
# jars in addons/ (the CUDA natives, Spark) are found by themselves.
set -eu
self=$0
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
home=$(CDPATH='' cd -- "$(dirname -- "$self")/.." && pwd -P)
# the archive's layout, or that of the Debian package
if [ -d "$home/lib/runtime" ]; then
  runtime=$home/lib/runtime jars=$home/lib/app data=$home/lib/app/spillway
else
  runtime=$home/runtime jars=$home/lib data=$home
fi
unset OPENBLAS_CORETYPE
export OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}" OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}" DJL_OFFLINE=true
class_path="$jars/*"
# the incubating Vector API prints a warning at every start, so only those commands load it that compute
case ${1:-} in
  '' | -* | help | completion | launch | plan | cluster | profile | simulate) vectors= ;;
  *) vectors='--add-modules jdk.incubator.vector' ;;
esac
set -- io.spillway.cli.Main "$@"
# functional simulation runs generated code, which wants options of its own; `spillway` in a checkout says why
case "${2:-} ${3:-}" in
  'simulate run' | 'simulate checkpoint' | 'simulate restore')
    case " $* " in
      *' --system'*) ;;
      *)
        machine=io.spillway.simulator.machine
        set -- -XX:+UseSerialGC -XX:PerMethodTrapLimit=0 -XX:-UseOnStackReplacement \
          -XX:Tier3InvocationThreshold=1000 -XX:Tier3MinInvocationThreshold=500 -XX:Tier3CompileThreshold=10000 \
          -XX:Tier4InvocationThreshold=25000 -XX:Tier4MinInvocationThreshold=3000 -XX:Tier4CompileThreshold=75000 \
          -XX:CompileCommand=quiet '-XX:CompileCommand=CompileThresholdScaling,*TranslatedRegion*::run,0.001' \
          "-XX:CompileCommand=inline,$machine.Memory::*" "-XX:CompileCommand=inline,$machine.IntegerOps::*" \
          "-XX:CompileCommand=inline,$machine.SettledFloats::*" "$@"
        ;;
    esac
    ;;
esac
if [ -d "$data/addons" ]; then
  class_path="$data/addons/*:$class_path"
  if ls "$data/addons"/*-gpu.jar >/dev/null 2>&1; then set -- -Dorg.bytedeco.javacpp.platform.extension=-gpu "$@"; fi
  if ls "$data/addons"/spark-core*.jar >/dev/null 2>&1; then
    mkdir -p "${SPARK_HOME:=${TMPDIR:-/tmp}/spillway-spark-$(id -u)}/jars"
    export SPARK_HOME SPARK_SCALA_VERSION=2.13
    for package in lang lang.invoke net nio util util.concurrent; do
      set -- "--add-opens=java.base/java.$package=ALL-UNNAMED" "$@"
    done
    set -- --add-opens=java.base/sun.nio.ch=ALL-UNNAMED "$@"
  fi
fi
columns=0
if [ -t 1 ]; then columns=$(tput cols 2>/dev/null || echo 0); fi
# shellcheck disable=SC2086
exec "$runtime/bin/java" -Xlog:disable $vectors --enable-native-access=ALL-UNNAMED \
  --sun-misc-unsafe-memory-access=allow -Djava.awt.headless=true -Dspillway.root="$data" -Dspillway.columns="$columns" \
  ${SPILLWAY_JAVA_OPTIONS:-} -cp "$class_path" "$@"
