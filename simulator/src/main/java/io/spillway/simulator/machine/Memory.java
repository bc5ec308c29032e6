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

  // the permission bytes and a page of zeros, which addresses out of range are judged by
  private static final long TABLE_BYTES = PAGES + PAGE_BYTES;
  private static final Cleaner CLEANER = Cleaner.create();

  private final long base; // host address of guest address 0; the permission bytes lie below it
  private final Cleaner.Cleanable cleanable;
  private long mappedPages;
  private long peakPages;

  public Memory() {
    long bytes = TABLE_BYTES + LIMIT + PAGE_BYTES;
    long start = RawMemory.reserve(bytes);
    if (start == 0) {
      throw SpillwayException.notAvailable(
          "the system refuses to reserve %d GiB of address space; raise `ulimit -v` or set"
              + " vm.overcommit_memory to 0 or 1",
          bytes >>> 30);
    }
    this.base = start + TABLE_BYTES;
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
    return RAW.getByte(base - TABLE_BYTES + Math.min(address >>> PAGE_BITS, PAGES)) & 7;
  }

  // ---- the accesses of generated code: static, with the base in a local variable. The check is
  // one branch: the page number of an address out of range is that of a page nobody may touch.

  private static int permissions(long base, long address) {
    long page = Math.min(address >>> PAGE_BITS, PAGES);
    return RAW.getByte(base - TABLE_BYTES + page);
  }

  private static boolean has(long base, long address, int permission) {
    return (permissions(base, address) & permission) != 0;
  }

  /// Whether `address` may be read: bit 0, which checks of several addresses combine.
  public static int readable(long base, long address) {
    return permissions(base, address);
  }

  /// Whether `address` may be written: bit 0.
  public static int writable(long base, long address) {
    return permissions(base, address) >> 1;
  }

  // unchecked, at host addresses

  public static long get64(long host) {
    return RAW.getLong(host);
  }

  public static int get32(long host) {
    return RAW.getInt(host);
  }

  public static short get16(long host) {
    return RAW.getShort(host);
  }

  public static byte get8(long host) {
    return RAW.getByte(host);
  }

  public static double getDouble(long host) {
    return RAW.getDouble(host);
  }

  public static float getFloat(long host) {
    return RAW.getFloat(host);
  }

  public static void put64(long host, long value) {
    RAW.putLong(host, value);
  }

  public static void put32(long host, int value) {
    RAW.putInt(host, value);
  }

  public static void put16(long host, int value) {
    RAW.putShort(host, (short) value);
  }

  public static void put8(long host, int value) {
    RAW.putByte(host, (byte) value);
  }

  public static void putDouble(long host, double value) {
    RAW.putDouble(host, value);
  }

  // ---- the accesses of the interpreter and of everybody else

  private void check(long address, int permission, MemoryFault.Access access) {
    if (!has(base, address, permission)) {
      throw new MemoryFault(address, access);
    }
  }

  public long load64(long address) {
    check(address, READ, MemoryFault.Access.READ);
    return get64(base + address);
  }

  public int load32(long address) {
    check(address, READ, MemoryFault.Access.READ);
    return get32(base + address);
  }

  public short load16(long address) {
    check(address, READ, MemoryFault.Access.READ);
    return get16(base + address);
  }

  public byte load8(long address) {
    check(address, READ, MemoryFault.Access.READ);
    return get8(base + address);
  }

  public void store64(long address, long value) {
    check(address, WRITE, MemoryFault.Access.WRITE);
    put64(base + address, value);
  }

  public void store32(long address, int value) {
    check(address, WRITE, MemoryFault.Access.WRITE);
    put32(base + address, value);
  }

  public void store16(long address, int value) {
    check(address, WRITE, MemoryFault.Access.WRITE);
    put16(base + address, value);
  }

  public void store8(long address, int value) {
    check(address, WRITE, MemoryFault.Access.WRITE);
    put8(base + address, value);
  }

  /// The 16 bits at `pc`, for decoding.
  public int fetch16(long pc) {
    if (has(base, pc, EXECUTE)) {
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
    // a page that can be written can be read
    int granted = (permission & WRITE) != 0 ? permission | READ : permission;
    long first = base - TABLE_BYTES + (address >>> PAGE_BITS);
    for (long p = first, end = first + pagesOf(bytes); p < end; p++) {
      if (RAW.getByte(p) == 0) {
        mappedPages++;
      }
      RAW.putByte(p, (byte) (granted & 7 | 8));
    }
    peakPages = Math.max(peakPages, mappedPages);
  }

  /// Removes pages; their content is lost.
  public void unmap(long address, long bytes) {
    requireRange(address, bytes);
    long first = base - TABLE_BYTES + (address >>> PAGE_BITS);
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
    long first = base - TABLE_BYTES + (address >>> PAGE_BITS);
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
    long first = base - TABLE_BYTES + (address >>> PAGE_BITS);
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
      if (!has(base, a, permission)) {
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
    for (long p = base - TABLE_BYTES + (address >>> PAGE_BITS); p < end; ) {
      // eight pages at a time over wide gaps
      if ((p & 7) == 0 && end - p >= 8 && RAW.getLong(p) == 0) {
        p += 8;
      } else if (RAW.getByte(p) == 0) {
        p++;
      } else {
        return p - (base - TABLE_BYTES) << PAGE_BITS;
      }
    }
    return LIMIT;
  }

  /// The highest free range of `bytes` below `top`; 0 if there is none above `bottom`.
  public long findFree(long bytes, long bottom, long top) {
    long pages = pagesOf(bytes);
    long run = 0;
    for (long page = (top >>> PAGE_BITS) - 1; page >= bottom >>> PAGE_BITS; page--) {
      run = RAW.getByte(base - TABLE_BYTES + page) == 0 ? run + 1 : 0;
      if (run == pages) {
        return page << PAGE_BITS;
      }
    }
    return 0;
  }
}
