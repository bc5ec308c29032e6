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
. "$jars/commands.sh"
# tables are cut to the terminal's width, and are whole when the output is piped
columns=0
if [ -t 1 ]; then columns=$(tput cols 2>/dev/null || echo 0); fi
class_path="$jars/*" options=
if is_functional "$@"; then
  # no add-on serves it, and the ahead-of-time cache is for these jars in this order
  class_path=
  while read -r jar; do class_path=$class_path${class_path:+:}$jars/$jar; done <"$jars/functional.classpath"
  set -- "@$jars/functional.options" -cp "$class_path" io.spillway.cli.Main "$@"
  if [ -f "$jars/functional.aot" ]; then set -- -XX:AOTCache="$jars/functional.aot" "$@"; fi
else
  if needs_vectors "$@"; then options='--add-modules jdk.incubator.vector'; fi
  if ls "$data/addons"/*.jar >/dev/null 2>&1; then class_path="$data/addons/*:$class_path"; fi
  set -- -cp "$class_path" io.spillway.cli.Main "$@"
  if ls "$data/addons"/*-gpu.jar >/dev/null 2>&1; then set -- -Dorg.bytedeco.javacpp.platform.extension=-gpu "$@"; fi
  if ls "$data/addons"/spark-core*.jar >/dev/null 2>&1; then
    mkdir -p "${SPARK_HOME:=${TMPDIR:-/tmp}/spillway-spark-$(id -u)}/jars"
    export SPARK_HOME SPARK_SCALA_VERSION=2.13
    # what travels to a cluster's executors: ours, as Spark's own jars are there
    set -- -Dspillway.sweep.jars="$(printf '%s:' "$jars"/*.jar "$data"/addons/spillway-*.jar)" "$@"
    for package in lang lang.invoke net nio util util.concurrent; do
      set -- "--add-opens=java.base/java.$package=ALL-UNNAMED" "$@"
    done
    set -- --add-opens=java.base/sun.nio.ch=ALL-UNNAMED "$@"
  fi
fi
# shellcheck disable=SC2086
exec "$runtime/bin/java" -Xlog:disable $options --enable-native-access=ALL-UNNAMED \
  --sun-misc-unsafe-memory-access=allow -Djava.awt.headless=true -Dspillway.root="$data" -Dspillway.columns="$columns" \
  ${SPILLWAY_JAVA_OPTIONS:-} "$@"
