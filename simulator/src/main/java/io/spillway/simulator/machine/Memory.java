package io.spillway.simulator.machine;

import static io.spillway.simulator.machine.RawMemory.RAW;

import io.spillway.platform.SpillwayException;
import java.lang.ref.Cleaner;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The program's address space: a reserved range of host memory with one permission byte for each
/// page of 4 KiB. Little-endian; misaligned accesses are allowed.
///
/// An access is judged by the page of its first byte, in every engine alike.
///
/// **Units:** addresses and sizes in bytes. **Errors:** [MemoryFault] where the permission is
/// missing.
public final class Memory implements AutoCloseable {
  public static final int PAGE_BITS = 12;
  public static final int PAGE_BYTES = 1 << PAGE_BITS;

  /// Permission bits.
  public static final int READ = 1;

  public static final int WRITE = 2;
  public static final int EXECUTE = 4;

  /// Addresses have at most this many bits, as in Linux with three-level page tables.
  public static final int ADDRESS_BITS = 38;

  /// The first address beyond the address space.
  public static final long LIMIT = 1L << ADDRESS_BITS;

  private static final long PAGES = LIMIT >>> PAGE_BITS;
  private static final Cleaner CLEANER = Cleaner.create();

  private final long base; // host address of guest address 0; the permission bytes lie below it
  private final Cleaner.Cleanable cleanable;
  private long mappedPages;
  private long peakPages;

  public Memory() {
    long bytes = PAGES + LIMIT + PAGE_BYTES;
    long start = RawMemory.reserve(bytes);
    if (start == 0) {
      throw SpillwayException.notAvailable(
          "the system refuses to reserve %d GiB of address space; raise `ulimit -v` or set"
              + " vm.overcommit_memory to 0 or 1",
          bytes >>> 30);
    }
    this.base = start + PAGES;
    this.cleanable = CLEANER.register(this, () -> RawMemory.release(start, bytes));
  }

  @Override
  public void close() {
    cleanable.clean();
  }

  /// The host address of guest address 0, for generated code.
  public long base() {
    return base;
  }

  /// Bytes mapped now.
  public long mappedBytes() {
    return mappedPages << PAGE_BITS;
  }

  /// The most bytes that were ever mapped at once.
  public long peakBytes() {
    return peakPages << PAGE_BITS;
  }

  /// The permission bits at `address`, 0 if nothing is mapped.
  public int permission(long address) {
    return address >>> ADDRESS_BITS == 0
        ? RAW.getByte(base - PAGES + (address >>> PAGE_BITS)) & 7
        : 0;
  }

  private static boolean may(long base, long address, int permission) {
    return address >>> ADDRESS_BITS == 0
        && (RAW.getByte(base - PAGES + (address >>> PAGE_BITS)) & permission) != 0;
  }

  // ---- the accesses of generated code: static, with the base in a local variable

  public static long load64(long base, long address) {
    if (may(base, address, READ)) {
      return RAW.getLong(base + address);
    }
    throw new MemoryFault(address, MemoryFault.Access.READ);
  }

  public static int load32(long base, long address) {
    if (may(base, address, READ)) {
      return RAW.getInt(base + address);
    }
    throw new MemoryFault(address, MemoryFault.Access.READ);
  }

  public static short load16(long base, long address) {
    if (may(base, address, READ)) {
      return RAW.getShort(base + address);
    }
    throw new MemoryFault(address, MemoryFault.Access.READ);
  }

  public static byte load8(long base, long address) {
    if (may(base, address, READ)) {
      return RAW.getByte(base + address);
    }
    throw new MemoryFault(address, MemoryFault.Access.READ);
  }

  public static double loadDouble(long base, long address) {
    if (may(base, address, READ)) {
      return RAW.getDouble(base + address);
    }
    throw new MemoryFault(address, MemoryFault.Access.READ);
  }

  public static float loadFloat(long base, long address) {
    if (may(base, address, READ)) {
      return RAW.getFloat(base + address);
    }
    throw new MemoryFault(address, MemoryFault.Access.READ);
  }

  public static void store64(long base, long address, long value) {
    if (!may(base, address, WRITE)) {
      throw new MemoryFault(address, MemoryFault.Access.WRITE);
    }
    RAW.putLong(base + address, value);
  }

  public static void store32(long base, long address, int value) {
    if (!may(base, address, WRITE)) {
      throw new MemoryFault(address, MemoryFault.Access.WRITE);
    }
    RAW.putInt(base + address, value);
  }

  public static void store16(long base, long address, int value) {
    if (!may(base, address, WRITE)) {
      throw new MemoryFault(address, MemoryFault.Access.WRITE);
    }
    RAW.putShort(base + address, (short) value);
  }

  public static void store8(long base, long address, int value) {
    if (!may(base, address, WRITE)) {
      throw new MemoryFault(address, MemoryFault.Access.WRITE);
    }
    RAW.putByte(base + address, (byte) value);
  }

  public static void storeDouble(long base, long address, double value) {
    if (!may(base, address, WRITE)) {
      throw new MemoryFault(address, MemoryFault.Access.WRITE);
    }
    RAW.putDouble(base + address, value);
  }

  public static void storeFloat(long base, long address, float value) {
    if (!may(base, address, WRITE)) {
      throw new MemoryFault(address, MemoryFault.Access.WRITE);
    }
    RAW.putFloat(base + address, value);
  }

  // ---- the same for everybody else

  public long load64(long address) {
    return load64(base, address);
  }

  public int load32(long address) {
    return load32(base, address);
  }

  public short load16(long address) {
    return load16(base, address);
  }

  public byte load8(long address) {
    return load8(base, address);
  }

  public void store64(long address, long value) {
    store64(base, address, value);
  }

  public void store32(long address, int value) {
    store32(base, address, value);
  }

  public void store16(long address, int value) {
    store16(base, address, value);
  }

  public void store8(long address, int value) {
    store8(base, address, value);
  }

  /// The 16 bits at `pc`, for decoding.
  public int fetch16(long pc) {
    if (may(base, pc, EXECUTE)) {
      return RAW.getShort(base + pc) & 0xffff;
    }
    throw new MemoryFault(pc, MemoryFault.Access.FETCH);
  }

  // ---- mapping

  private static void requireRange(long address, long bytes) {
    if (address < 0
        || bytes < 0
        || address > LIMIT
        || bytes > LIMIT - address
        || (address & PAGE_BYTES - 1) != 0) {
      throw new IllegalArgumentException(
          "range 0x" + Long.toHexString(address) + " + 0x" + Long.toHexString(bytes));
    }
  }

  private static long pagesOf(long bytes) {
    return bytes + PAGE_BYTES - 1 >>> PAGE_BITS;
  }

  /// Maps pages of zeros, replacing what was there.
  public void map(long address, long bytes, int permission) {
    requireRange(address, bytes);
    unmap(address, bytes);
    protect(address, bytes, permission);
  }

  /// Sets the permission of pages; those that were not mapped become so. Mapped pages without any
  /// permission keep their content.
  public void protect(long address, long bytes, int permission) {
    requireRange(address, bytes);
    long first = base - PAGES + (address >>> PAGE_BITS);
    for (long p = first, end = first + pagesOf(bytes); p < end; p++) {
      if (RAW.getByte(p) == 0) {
        mappedPages++;
      }
      RAW.putByte(p, (byte) (permission & 7 | 8));
    }
    peakPages = Math.max(peakPages, mappedPages);
  }

  /// Removes pages; their content is lost.
  public void unmap(long address, long bytes) {
    requireRange(address, bytes);
    long first = base - PAGES + (address >>> PAGE_BITS);
    boolean any = false;
    for (long p = first, end = first + pagesOf(bytes); p < end; p++) {
      if (RAW.getByte(p) != 0) {
        any = true;
        mappedPages--;
        RAW.putByte(p, (byte) 0);
      }
    }
    if (any) {
      RawMemory.discard(base + address, pagesOf(bytes) << PAGE_BITS);
    }
  }

  /// Whether every page of the range is mapped, with whatever permission.
  public boolean isMapped(long address, long bytes) {
    if (address < 0 || bytes < 0 || address > LIMIT || bytes > LIMIT - address) {
      return false;
    }
    long first = base - PAGES + (address >>> PAGE_BITS);
    for (long p = first; p < first + pagesOf((address & PAGE_BYTES - 1) + bytes); p++) {
      if (RAW.getByte(p) == 0) {
        return false;
      }
    }
    return true;
  }

  /// Whether no page of the range is mapped.
  public boolean isFree(long address, long bytes) {
    requireRange(address, bytes);
    long first = base - PAGES + (address >>> PAGE_BITS);
    for (long p = first; p < first + pagesOf(bytes); p++) {
      if (RAW.getByte(p) != 0) {
        return false;
      }
    }
    return true;
  }

  // ---- bulk

  /// Copies into the program, which must be able to write there.
  public void write(long address, byte[] bytes, int from, int count) {
    check(address, count, WRITE, MemoryFault.Access.WRITE);
    RAW.copyMemory(bytes, ARRAY + from, null, base + address, count);
  }

  public void write(long address, byte[] bytes) {
    write(address, bytes, 0, bytes.length);
  }

  /// Copies into mapped pages whatever their permission.
  void poke(long address, byte[] bytes, int from, int count) {
    if (!isMapped(address, count)) {
      throw new MemoryFault(address, MemoryFault.Access.WRITE);
    }
    RAW.copyMemory(bytes, ARRAY + from, null, base + address, count);
  }

  /// Copies out of mapped pages whatever their permission.
  byte[] peek(long address, int count) {
    if (!isMapped(address, count)) {
      throw new MemoryFault(address, MemoryFault.Access.READ);
    }
    byte[] bytes = new byte[count];
    RAW.copyMemory(null, base + address, bytes, ARRAY, count);
    return bytes;
  }

  /// Moves content within the program's memory.
  void move(long from, long to, long bytes) {
    RAW.copyMemory(base + from, base + to, bytes);
  }

  /// Copies out of the program, which must be able to read there.
  public byte[] read(long address, int count) {
    check(address, count, READ, MemoryFault.Access.READ);
    byte[] bytes = new byte[count];
    RAW.copyMemory(null, base + address, bytes, ARRAY, count);
    return bytes;
  }

  private static final long ARRAY = sun.misc.Unsafe.ARRAY_BYTE_BASE_OFFSET;

  private void check(long address, long count, int permission, MemoryFault.Access access) {
    for (long a = address; a < address + count; a = (a | PAGE_BYTES - 1) + 1) {
      if (!may(base, a, permission)) {
        throw new MemoryFault(a, access);
      }
    }
  }

  /// Text up to a zero byte, at most `limit` bytes of it.
  public String text(long address, int limit) {
    byte[] bytes = new byte[Math.min(limit, PAGE_BYTES)];
    int n = 0;
    for (byte b; n < limit && (b = load8(address + n)) != 0; n++) {
      if (n == bytes.length) {
        bytes = Arrays.copyOf(bytes, bytes.length * 2);
      }
      bytes[n] = b;
    }
    return new String(bytes, 0, n, StandardCharsets.UTF_8);
  }

  /// The first mapped page at or after `address`, or [#LIMIT].
  public long nextMapped(long address) {
    long end = base;
    for (long p = base - PAGES + (address >>> PAGE_BITS); p < end; ) {
      // eight pages at a time over wide gaps
      if ((p & 7) == 0 && end - p >= 8 && RAW.getLong(p) == 0) {
        p += 8;
      } else if (RAW.getByte(p) == 0) {
        p++;
      } else {
        return p - (base - PAGES) << PAGE_BITS;
      }
    }
    return LIMIT;
  }

  /// The highest free range of `bytes` below `top`; 0 if there is none above `bottom`.
  public long findFree(long bytes, long bottom, long top) {
    long pages = pagesOf(bytes);
    long run = 0;
    for (long page = (top >>> PAGE_BITS) - 1; page >= bottom >>> PAGE_BITS; page--) {
      run = RAW.getByte(base - PAGES + page) == 0 ? run + 1 : 0;
      if (run == pages) {
        return page << PAGE_BITS;
      }
    }
    return 0;
  }
}
