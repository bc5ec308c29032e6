package io.spillway.simulator.machine;

import org.jspecify.annotations.Nullable;

/// Heap and mappings of the program.
final class LinuxMemory {
  private static final int SHARED = 1;
  private static final int FIXED = 0x10;
  private static final int ANONYMOUS = 0x20;
  private static final int FIXED_NO_REPLACE = 0x100000;
  private static final int MAY_MOVE = 1;
  private static final int DONT_NEED = 4;

  /// Mappings lie below the stack's region.
  private static final long TOP = Memory.LIMIT - (1L << 32);

  private final Machine machine;
  private final Memory memory;
  private final LinuxFiles files;
  private final long heapStart;
  private long heapEnd;
  private long cursor = TOP;

  LinuxMemory(Machine machine, LinuxFiles files, long programEnd) {
    this.machine = machine;
    this.memory = machine.memory();
    this.files = files;
    this.heapStart = pageUp(programEnd);
    this.heapEnd = heapStart;
  }

  private static long pageUp(long bytes) {
    return bytes + Memory.PAGE_BYTES - 1 & -Memory.PAGE_BYTES;
  }

  private static boolean isRange(long address, long bytes) {
    return address >= 0
        && bytes >= 0
        && (address & Memory.PAGE_BYTES - 1) == 0
        && address <= Memory.LIMIT
        && bytes <= Memory.LIMIT - address;
  }

  private static int permission(long protection) {
    // a writable page can be read, an executable one as well
    int p = (int) protection & 7;
    return p == 0 ? 0 : p | Memory.READ;
  }

  private boolean hasCode(long address, long bytes) {
    for (long a = address; a < address + bytes; a += Memory.PAGE_BYTES) {
      if ((memory.permission(a) & Memory.EXECUTE) != 0) {
        return true;
      }
    }
    return false;
  }

  long breakTo(long end) {
    if (end < heapStart || end > TOP) {
      return heapEnd;
    }
    long from = pageUp(heapEnd);
    long to = pageUp(end);
    if (to > from) {
      if (!memory.isFree(from, to - from)) {
        return heapEnd;
      }
      memory.map(from, to - from, Memory.READ | Memory.WRITE);
    } else if (to < from) {
      memory.unmap(to, from - to);
    }
    heapEnd = end;
    return end;
  }

  long map(long hint, long size, long protection, int flags, int descriptor, long offset) {
    if (size <= 0 || size > Memory.LIMIT) {
      return size <= 0 ? Errno.INVALID : Errno.NO_MEMORY;
    }
    long bytes = pageUp(size);
    byte @Nullable [] content = null;
    boolean shared = (flags & SHARED) != 0 && (flags & ANONYMOUS) == 0;
    boolean writes = (protection & Memory.WRITE) != 0;
    if ((flags & ANONYMOUS) == 0) {
      if (!(files.get(descriptor) instanceof LinuxFiles.Open.OpenFile file)) {
        return files.isOpen(descriptor) ? Errno.NO_DEVICE : Errno.BAD_DESCRIPTOR;
      }
      int mode = file.flags() & 3;
      if (mode == LinuxFiles.WRITE_ONLY || shared && writes && mode != LinuxFiles.READ_WRITE) {
        return Errno.ACCESS;
      }
      if (shared && files.shared().clashes(file, offset, bytes, writes)) {
        return Errno.NO_DEVICE;
      }
      content = files.content(descriptor, offset, size);
      if (content == null) {
        return Errno.BAD_DESCRIPTOR;
      }
    }
    long address = place(hint, bytes, flags);
    if (address <= 0) {
      return address == 0 ? Errno.NO_MEMORY : address;
    }
    if (hasCode(address, bytes)) {
      machine.codeChanged();
    }
    long ended = files.endMappings(address, bytes);
    if (ended < 0) {
      return ended;
    }
    memory.map(address, bytes, permission(protection));
    if (content != null) {
      memory.poke(address, content, 0, content.length);
    }
    if (shared && files.get(descriptor) instanceof LinuxFiles.Open.OpenFile file) {
      files.shared().add(address, bytes, file, offset, writes);
    }
    return address;
  }

  private long place(long hint, long bytes, int flags) {
    boolean fixed = (flags & (FIXED | FIXED_NO_REPLACE)) != 0;
    if (fixed) {
      if (!isRange(hint, bytes) || hint == 0) {
        return hint == 0 ? Errno.NOT_PERMITTED : Errno.INVALID;
      }
      boolean taken = (flags & FIXED_NO_REPLACE) != 0 && !memory.isFree(hint, bytes);
      return taken ? Errno.EXISTS : hint;
    }
    if (hint != 0 && isRange(hint, bytes) && hint + bytes <= TOP && memory.isFree(hint, bytes)) {
      return hint;
    }
    long below = cursor - bytes;
    long address =
        below > heapEnd && memory.isFree(below, bytes)
            ? below
            : memory.findFree(bytes, pageUp(heapEnd) + (1 << 20), TOP);
    if (address != 0) {
      cursor = address;
    }
    return address;
  }

  long unmap(long address, long size) {
    if (size <= 0 || !isRange(address, size)) {
      return Errno.INVALID;
    }
    if (hasCode(address, size)) {
      machine.codeChanged();
    }
    long ended = files.endMappings(address, pageUp(size));
    memory.unmap(address, size);
    if (address > cursor - Memory.PAGE_BYTES && address <= cursor) {
      cursor = Math.min(TOP, pageUp(address + size));
    }
    return ended;
  }

  /// Brings the shared mappings of a range to their files.
  long synchronize(long address, long size) {
    if (!isRange(address, size)) {
      return Errno.INVALID;
    }
    if (!memory.isMapped(address, size)) {
      return Errno.NO_MEMORY;
    }
    return LinuxFiles.attempt(() -> {
      files.shared().writeBack(address, pageUp(size));
      return 0;
    });
  }

  long protect(long address, long size, long protection) {
    if (!isRange(address, size)) {
      return Errno.INVALID;
    }
    if (!memory.isMapped(address, size)) {
      return Errno.NO_MEMORY;
    }
    boolean codeBefore = hasCode(address, size);
    memory.protect(address, size, permission(protection));
    if (codeBefore || (protection & Memory.EXECUTE) != 0) {
      machine.codeChanged();
    }
    return 0;
  }

  long remap(long address, long oldSize, long newSize, int flags) {
    long before = pageUp(oldSize);
    long after = pageUp(newSize);
    if (newSize <= 0 || !isRange(address, before) || !memory.isMapped(address, before)) {
      return Errno.INVALID;
    }
    if (after <= before) {
      files.endMappings(address + after, before - after);
      memory.unmap(address + after, before - after);
      return address;
    }
    if (files.shared().touches(address, before)) {
      return Errno.NO_MEMORY; // a shared mapping of a file does not grow
    }
    int permission = memory.permission(address);
    if (isRange(address, after) && memory.isFree(address + before, after - before)) {
      memory.map(address + before, after - before, permission);
      return address;
    }
    if ((flags & MAY_MOVE) == 0) {
      return Errno.NO_MEMORY;
    }
    long target = place(0, after, 0);
    if (target == 0) {
      return Errno.NO_MEMORY;
    }
    memory.map(target, after, permission);
    memory.move(address, target, before);
    memory.unmap(address, before);
    return target;
  }

  long advise(long address, long size, int advice) {
    if (!isRange(address, size)) {
      return Errno.INVALID;
    }
    if (advice == DONT_NEED) {
      for (long a = address; a < address + size; a += Memory.PAGE_BYTES) {
        if (memory.isMapped(a, 1) && !files.shared().touches(a, 1)) {
          int permission = memory.permission(a);
          memory.map(a, Memory.PAGE_BYTES, permission);
        }
      }
    }
    return 0;
  }

  // ---- checkpoints

  long[] keep() {
    return new long[] {heapEnd, cursor};
  }

  void restore(long[] kept) {
    heapEnd = kept[0];
    cursor = kept[1];
  }
}
