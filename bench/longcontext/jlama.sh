#!/bin/sh
# Prefill and decode on the CPU beside Jlama 0.8.4, both on one folder of random bf16 weights (1.1 billion parameters),
# with the machine's matrix rate and read bandwidth from the same run.
#   bench/longcontext/jlama.sh [WORK] [PROMPT] [ANSWER]     WORK keeps the folder (2.2 GB) and Jlama's jars
# CP: class path of Spillway's modules (default: that of ./spillway).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
work=${1:-/tmp/spillway-jlama}
prompt=${2:-512}
answer=${3:-16}
java=${JAVA_HOME:?a JDK 25}/bin/java
unset OPENBLAS_CORETYPE
export OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=passive
if [ -z "${CP:-}" ]; then
  "$root/spillway" --version >/dev/null
  CP=$(cat "$root/cli/target/classpath.txt")
fi
flags="--enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector --sun-misc-unsafe-memory-access=allow"
mkdir -p "$work/classes"
if [ ! -d "$work/lib" ]; then
  cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>io.spillway.bench</groupId><artifactId>jlama</artifactId><version>1</version><dependencies>
<dependency><groupId>com.github.tjake</groupId><artifactId>jlama-core</artifactId><version>0.8.4</version></dependency>
<dependency><groupId>com.github.tjake</groupId><artifactId>jlama-native</artifactId><version>0.8.4</version><classifier>linux-x86_64</classifier></dependency>
</dependencies></project>
POM
  mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/lib"
fi
here=$root/bench/longcontext
# shellcheck disable=SC2086
ours() { "$java" $flags -Xmx1g -cp "$CP" "$here/CpuBench.java" "$@" 2>/dev/null; }
# shellcheck disable=SC2086
jlama() { "$java" $flags -Xmx6g -cp "$work/lib/*" "$here/JlamaBench.java" "$@" 2>/dev/null; }
[ -f "$work/model/config.json" ] || ours write "$work/model"
# shellcheck disable=SC2086
"$java" $flags -Xmx1g -cp "$CP" "$here/GemvBench.java" 2>/dev/null | tail -n 3
ours limits
ours run "$work/model" BF16 "$prompt" "$answer"
jlama "$work/model" F32 BF16 "$prompt" "$answer" || echo "jlama F32 BF16 did not run"
jlama "$work/model" F32 I8 "$prompt" "$answer" || echo "jlama F32 I8 did not run"
ours run "$work/model" BF16 "$prompt" "$answer"
