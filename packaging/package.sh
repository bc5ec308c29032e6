#!/bin/sh
# Packs Spillway for machines without Java; called by ./spillway package, which sets jdk, root, version and class_path.
#
#   --out FOLDER    where the files go                                     [dist]
#   --deb           a Debian package as well (jpackage; wants dpkg-deb and fakeroot)
#                   its maintainer: DEBFULLNAME and DEBEMAIL, as Debian's own tools take them
#   --gpu           the add-on with libtorch's CUDA natives (440 MB, above 1 GB unpacked; needs CUDA 13 and cuDNN 9 on the host)
#   --spark         the add-on for sweeps on Apache Spark
#   --libraries     the library modules as Maven artifacts, with sources and javadoc, in a folder repository
set -eu
say() { printf '%s\n' "spillway: $*" >&2; }
out=dist deb= gpu= spark= libraries=
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=${2:?--out wants a folder}; shift ;;
    --out=*) out=${1#--out=} ;;
    --deb) deb=yes ;;
    --gpu) gpu=yes ;;
    --spark) spark=yes ;;
    --libraries) libraries=yes ;;
    -h | --help) sed -n '2,$ s/^# \{0,1\}//p; /^set/q' "$0"; exit 0 ;;
    *) say "package: '$1' is none of --out, --deb, --gpu, --spark, --libraries"; exit 2 ;;
  esac
  shift
done
if [ -n "$deb" ]; then
  for tool in dpkg-deb fakeroot; do
    command -v "$tool" >/dev/null 2>&1 || { say "--deb wants $tool (Debian: apt-get install dpkg fakeroot)"; exit 3; }
  done
fi
mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd -P)
work=$(mktemp -d "$out/.packing.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Maven's own libraries warn about the JDK's plans for Unsafe
export MAVEN_OPTS="${MAVEN_OPTS:-} --sun-misc-unsafe-memory-access=allow"
maven() { (cd "$root" && JAVA_HOME=$jdk mvn -B -q "$@"); }
name=spillway-$version-linux-x86_64

# everything lands under its final name at the end, so that a stopped packing leaves no half file
finish() { mv "$work/$1" "$out/$1" && say "wrote $out/$1 ($(du -h "$out/$1" | cut -f1))"; }

say "bill of materials and licences ..."
maven -Prelease package -Dmaven.test.skip=true -Dspotless.check.skip=true -Djacoco.skip=true -Dmaven.javadoc.skip=true -Dmaven.source.skip=true

say "runtime ..."
app=$work/$name
mkdir -p "$app/lib" "$app/bin"
modules=java.base,java.desktop,java.logging,java.management,java.naming,java.net.http,java.scripting,java.sql,java.xml
# Spark's: Hadoop asks the operating system, or Kerberos, who the user is
modules=$modules,java.compiler,java.rmi,java.security.jgss,jdk.security.auth,jdk.security.jgss
modules=$modules,jdk.httpserver,jdk.incubator.vector,jdk.jfr,jdk.management,jdk.unsupported,jdk.zipfs
"$jdk/bin/jlink" --add-modules "$modules" --strip-debug --no-man-pages --no-header-files --compress zip-6 \
  --output "$app/runtime" 2>/dev/null
tr ':' '\n' <"$class_path" | while read -r jar; do [ ! -f "$jar" ] || cp "$jar" "$app/lib/"; done
cp "$root/packaging/launcher.sh" "$app/bin/spillway"
chmod +x "$app/bin/spillway"
mkdir -p "$app/longcontext" "$app/simulator/workloads"
cp -R "$root/longcontext/model" "$app/longcontext/"
cp -R "$root/simulator/workloads/programs" "$app/simulator/workloads/"
cp "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$root/target/sbom.json" "$root/target/THIRD-PARTY.txt" "$app/"
cp -R "$root/docs" "$app/"
cp "$root/packaging/commands.sh" "$root/packaging/functional.options" "$app/lib/"
. "$root/packaging/commands.sh"
functional_jars "$(cat "$class_path")" | tr ':' '\n' | sed 's|.*/||' >"$app/lib/functional.classpath"
# the ahead-of-time cache names jars by size and date, so it holds wherever the archive is unpacked; it is optional
(cd "$app/lib" && SPILLWAY_JAVA_OPTIONS=-XX:AOTCacheOutput=functional.aot "$app/bin/spillway" simulate run --json \
  --seed 1 "$app/simulator/workloads/programs/mg" S >/dev/null 2>&1) || true
"$app/bin/spillway" --version >/dev/null
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner -czf "$work/$name.tar.gz" "$name"
finish "$name.tar.gz"
cp "$root/target/sbom.json" "$work/sbom.json" && finish sbom.json

if [ -n "$deb" ]; then
  say "Debian package ..."
  # Debian's versions know no '-SNAPSHOT'
  "$jdk/bin/jpackage" --type app-image --name spillway --app-version "${version%%-*}" --dest "$work/image" \
    --runtime-image "$app/runtime" --input "$app/lib" --main-jar "spillway-cli-$version.jar" \
    --main-class io.spillway.cli.Main
  # the shell launcher in place of the binary one: native libraries read their thread settings at process start
  image=$work/image/spillway
  mkdir -p "$image/lib/app/spillway"
  cp -R "$app/longcontext" "$app/simulator" "$app/docs" "$app/LICENSE" "$app/THIRD-PARTY.txt" "$app/sbom.json" "$image/lib/app/spillway/"
  cp "$app/bin/spillway" "$image/bin/spillway"
  DPKG_DEB_COMPRESSOR_TYPE=none "$jdk/bin/jpackage" --type deb --name spillway --app-version "${version%%-*}" --app-image "$image" --dest "$work" \
    --linux-package-name spillway --description "AI workloads past the memory wall" --license-file "$root/LICENSE" \
    --vendor "${DEBFULLNAME:-Spillway maintainers}" --linux-deb-maintainer "${DEBEMAIL:-maintainers@spillway.invalid}"
  # jpackage knows no link on the PATH; gzip, as dpkg-deb's default takes minutes of one core
  deb=$(cd "$work" && echo spillway_*.deb)
  fakeroot sh -euc 'dpkg-deb -R "$1" "$2"; mkdir -p "$2/usr/bin"; ln -s /opt/spillway/bin/spillway "$2/usr/bin/spillway"
    dpkg-deb -Zgzip -b "$2" "$1"' - "$work/$deb" "$work/deb" >/dev/null
  finish "$deb"
fi

addon() { # name, then the jars
  folder=$work/$1/addons
  mkdir -p "$folder"
  addon_name=$1
  shift
  for jar in "$@"; do cp "$jar" "$folder/"; done
  tar -C "$work/$addon_name" -cf "$work/$addon_name.tar" addons
  finish "$addon_name.tar"
}

if [ -n "$gpu" ]; then
  say "add-on with the CUDA natives ..."
  torch=$(sed -n 's:.*<bytedeco.javacpp.version>\(.*\)<.*:\1:p' "$root/pom.xml")
  pytorch=$(sed -n 's:.*<bytedeco.pytorch.version>\(.*\)-\${.*:\1:p' "$root/pom.xml")-$torch
  cuda=$(sed -n 's:.*<bytedeco.cuda.version>\(.*\)-\${.*:\1:p' "$root/pom.xml")-$torch
  for artifact in "pytorch:$pytorch:jar:linux-x86_64-gpu" "cuda:$cuda:jar:linux-x86_64"; do
    maven dependency:copy -Dartifact="org.bytedeco:$artifact" -DoutputDirectory="$work/natives" -pl platform
  done
  addon spillway-gpu-addon-linux-x86_64 "$work"/natives/*.jar
fi

if [ -n "$spark" ]; then
  say "add-on for Spark ..."
  # shellcheck disable=SC2046
  addon spillway-spark-addon "$root"/sweep-spark/target/spillway-sweep-spark-"$version".jar \
    $(tr ':' '\n' <"$root/sweep-spark/target/dependencies.txt" | grep -v '/spillway-')
fi

if [ -n "$libraries" ]; then
  say "library modules with sources and javadoc (some minutes) ..."
  maven -Prelease deploy -Dmaven.test.skip=true -Dspotless.check.skip=true -Djacoco.skip=true \
    -DaltDeploymentRepository="folder::file://$work/libraries"
  tar -C "$work" -czf "$work/spillway-$version-maven.tar.gz" libraries
  finish "spillway-$version-maven.tar.gz"
fi
