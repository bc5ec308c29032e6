#!/bin/sh
# Builds the current commit twice in clones of its own and compares every jar byte by byte.
# Usage: bench/reproducible-build.sh          (JAVA_HOME: a JDK 25 or newer)
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for copy in one two; do
  git clone -q "$root" "$work/$copy"
  (cd "$work/$copy" && mvn -B -q -o package -DskipTests -Djacoco.skip=true -Dspotless.check.skip=true >"$work/$copy.log" 2>&1) ||
    { cat "$work/$copy.log"; exit 1; }
  (cd "$work/$copy" && find . -path '*/target/*.jar' -exec sha256sum {} + | sort -k 2) >"$work/$copy.sums"
done
if cmp -s "$work/one.sums" "$work/two.sums"; then
  printf '%s jars are identical in both builds of %s\n' "$(wc -l <"$work/one.sums")" "$(git -C "$root" rev-parse --short HEAD)"
else
  diff "$work/one.sums" "$work/two.sums" || true
  echo "the builds differ" >&2
  exit 1
fi
