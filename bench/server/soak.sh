#!/bin/sh
# The service under clients of all kinds for a while: streams, slow readers, killed clients, malformed and huge requests,
# bursts over the queue, long prompts under six policies, stored contexts, a disk that fills up, little memory, restarts
# by SIGTERM and SIGKILL. Fails if anything is lost or resident memory grows.
#   bench/server/soak.sh [--images] [SECONDS] [OUT.json]        (default 1200, soak.json)
# --images: the service for images (diffuse serve), which writes no files, so without the disk; cancelled requests instead of contexts.
# As root on Linux stored contexts lie on a small tmpfs that is filled now and then, and a memory cgroup (v1 or v2)
# holds the server to SOAK_MEMORY bytes (default 400 MiB, 2 GiB for images); without these rights both parts are left out and said so.
# CP: class path of Spillway's modules (default: that of ./spillway).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
class=Soak
[ "${1:-}" != --images ] || { class=SoakImages; shift; }
seconds=${1:-1200}
out=${2:-soak.json}
java=${JAVA_HOME:?a JDK 25}/bin/java
unset OPENBLAS_CORETYPE
export OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
if [ -z "${CP:-}" ]; then
  "$root/spillway" --version >/dev/null
  CP=$(cat "$root/cli/target/classpath.txt")
fi
work=$(mktemp -d)
mkdir "$work/sessions"
disk=false
cage=
finish() {
  [ "$disk" = false ] || umount "$work/sessions" || true
  [ -z "$cage" ] || rmdir "$cage" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
if [ $class = SoakImages ]; then
  : # nothing is written
elif mount -t tmpfs -o size=4m tmpfs "$work/sessions" 2>/dev/null; then
  disk=true
else
  echo "soak: no right to mount a small disk; the part with a full disk is left out" >&2
fi
limit=${SOAK_MEMORY:-$([ $class = Soak ] && echo 419430400 || echo 2147483648)}
for try in "/sys/fs/cgroup/memory/spillway-soak-$$" "/sys/fs/cgroup/spillway-soak-$$"; do
  if [ -f "${try%/*}/cgroup.procs" ] && mkdir "$try" 2>/dev/null; then
    if { [ -f "$try/memory.limit_in_bytes" ] && echo "$limit" >"$try/memory.limit_in_bytes"; } 2>/dev/null ||
      { [ -f "$try/memory.max" ] && echo "$limit" >"$try/memory.max"; } 2>/dev/null; then
      cage=$try
      break
    fi
    rmdir "$try"
  fi
done
[ -n "$cage" ] || echo "soak: no memory cgroup; the server's memory is bounded by its heap alone" >&2
flags="--enable-native-access=ALL-UNNAMED --add-modules jdk.incubator.vector --sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC"
serve="serve --active 8 --queue 16 --max-body 2000000 --policy locret --budget 64 --chunk 64 --local 32 --sessions $work/sessions"
[ $class = Soak ] || serve="diffuse serve --queue 16 --most-images 16 --ranks 2 --strategy pcpp --warmup 1 --steps 4"
cat >"$work/server" <<SERVER
#!/bin/sh
[ -z "$cage" ] || echo \$\$ >"$cage/cgroup.procs"
exec "$java" $flags -Xmx96m -Dspillway.root="$root" -cp "$CP" io.spillway.cli.Main $serve --port 0 --api-key soak-key --device cpu
SERVER
chmod +x "$work/server"
# shellcheck disable=SC2086
"$java" $flags -Xmx256m -Dsoak.disk="$disk" -Dsoak.log="${SOAK_LOG:-/dev/null}" -cp "$CP" "$root/bench/server/$class.java" \
  "$seconds" "$out" "$work/sessions" -- "$work/server"
