#!/bin/sh
# Builds every workload into programs/ as a static RV64GC program without a C library. With --check
# it builds elsewhere and compares: the same compiler gives the same bytes.
# Needs Debian's gcc-riscv64-linux-gnu (the prebuilt programs: GCC 12.2.0, binutils 2.40).
set -eu
cd "$(dirname "$0")/src"
out=../programs
[ "${1:-}" != --check ] || out=$(mktemp -d)
mkdir -p "$out"
for f in *.c; do
  riscv64-linux-gnu-gcc -O2 -march=rv64gc -mabi=lp64d -static -nostdlib -ffreestanding -fno-builtin \
    -fno-tree-loop-distribute-patterns -fno-stack-protector -fno-ident -Wl,--build-id=none -Wl,-z,norelro \
    -o "$out/${f%.c}" "$f"
  riscv64-linux-gnu-strip -R .comment -R .riscv.attributes "$out/${f%.c}"
done
if [ "${1:-}" = --check ]; then
  for f in "$out"/*; do cmp "$f" "../programs/$(basename "$f")"; done
  rm -r "$out"
  echo "every program is byte-identical"
fi
