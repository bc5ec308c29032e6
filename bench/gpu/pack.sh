#!/bin/sh
# Fills .gpu/app with everything but the runtime and the natives, for a GPU host without registries: our jars, their
# third-party jars, the classes of bench/gpu. The runtime and the natives come from the packer beside this project (../shared/gpu/pack).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
cd "$root"
./spillway --version >/dev/null
rm -rf .gpu/app .gpu/bench && mkdir -p .gpu/app .gpu/bench
tr ':' '\n' <cli/target/classpath.txt | grep -v '/org/bytedeco/' | while read -r jar; do cp "$jar" .gpu/app/; done
if ls bench/gpu/*.java >/dev/null 2>&1; then
  jdk=${SPILLWAY_JAVA_HOME:-$(dirname "$(dirname "$(ls -d /usr/lib/jvm/*25*/bin/javac | head -n 1)")")}
  "$jdk/bin/javac" -nowarn --add-modules jdk.incubator.vector -cp "$(cat cli/target/classpath.txt)" -d .gpu/bench bench/gpu/*.java
  "$jdk/bin/jar" --create --file .gpu/app/bench.jar -C .gpu/bench .
fi
rm -rf .gpu/bench
du -sh .gpu/app
