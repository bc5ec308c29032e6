#!/bin/sh
# For a GPU host without registries: fills .gpu/app with our jars and the classes of bench/gpu, and .gpu/third with the
# third-party jars, which change seldom (copy them there to /opt/spillway/third once). The runtime and the natives come
# from the packer beside this project (../shared/gpu/pack).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
cd "$root"
./spillway --version >/dev/null
rm -rf .gpu/app .gpu/third .gpu/bench && mkdir -p .gpu/app .gpu/third .gpu/bench
tr ':' '\n' <cli/target/classpath.txt | grep -v '/org/bytedeco/' | while read -r jar; do
  case $jar in "$root"/*) cp "$jar" .gpu/app/ ;; *) cp "$jar" .gpu/third/ ;; esac
done
if ls bench/gpu/*.java >/dev/null 2>&1; then
  jdk=${SPILLWAY_JAVA_HOME:-$(dirname "$(dirname "$(ls -d /usr/lib/jvm/*25*/bin/javac | head -n 1)")")}
  "$jdk/bin/javac" -nowarn --add-modules jdk.incubator.vector -cp "$(cat cli/target/classpath.txt)" -d .gpu/bench bench/gpu/*.java
  "$jdk/bin/jar" --create --file .gpu/app/bench.jar -C .gpu/bench .
fi
rm -rf .gpu/bench
du -sh .gpu/app .gpu/third
