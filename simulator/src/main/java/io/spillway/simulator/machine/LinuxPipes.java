package io.spillway.simulator.machine;

import java.util.ArrayDeque;
import java.util.TreeMap;

/// Pipes between threads, and waiting until descriptors are ready.
///
/// A call that has to wait is executed again once its hart wakes, as the kernel restarts calls.
final class LinuxPipes {
  private static final int CAPACITY = 1 << 16;
  private static final int NON_BLOCKING = 0x800;

  private static final int POLL_IN = 1;
  private static final int POLL_OUT = 4;
  private static final int POLL_HANG_UP = 16;
  private static final int POLL_INVALID = 32;

  /// What lies between the two ends.
  static final class Pipe {
    final long key;
    final ArrayDeque<Byte> bytes = new ArrayDeque<>();

    Pipe(long key) {
      this.key = key;
    }
  }

  private final Memory memory;
  private final LinuxFiles files;
  private final LinuxThreads threads;
  private long lastKey = -1000;

  LinuxPipes(Memory memory, LinuxFiles files, LinuxThreads threads) {
    this.memory = memory;
    this.files = files;
    this.threads = threads;
  }

  long create(long address, int flags) {
    Pipe pipe = new Pipe(--lastKey);
    memory.load64(address); // a bad address opens nothing
    long reads = files.install(new LinuxFiles.Open.PipeEnd(pipe, false, flags));
    long writes = reads < 0 ? reads : files.install(new LinuxFiles.Open.PipeEnd(pipe, true, flags));
    if (writes < 0) {
      if (reads >= 0) {
        files.close((int) reads);
      }
      return writes;
    }
    memory.store32(address, (int) reads);
    memory.store32(address + 4, (int) writes);
    return 0;
  }

  private boolean hasEnd(Pipe pipe, boolean writes) {
    return files.all().stream()
        .anyMatch(o ->
            o instanceof LinuxFiles.Open.PipeEnd e && e.pipe() == pipe && e.writes() == writes);
  }

  /// Reads, or has the hart wait until there is something.
  long read(Hart hart, LinuxFiles.Open.PipeEnd end, long address, long count) {
    Pipe pipe = end.pipe();
    if (end.writes()) {
      return Errno.BAD_DESCRIPTOR;
    }
    if (pipe.bytes.isEmpty() && count > 0) {
      return hasEnd(pipe, true) ? later(hart, end) : 0;
    }
    byte[] bytes = new byte[(int) Math.min(count, pipe.bytes.size())];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = pipe.bytes.removeFirst();
    }
    memory.write(address, bytes);
    threads.wake(pipe.key, Integer.MAX_VALUE, -1);
    return bytes.length;
  }

  /// Writes what fits, or has the hart wait until something does.
  long write(Hart hart, LinuxFiles.Open.PipeEnd end, long address, long count) {
    Pipe pipe = end.pipe();
    if (!end.writes()) {
      return Errno.BAD_DESCRIPTOR;
    }
    if (!hasEnd(pipe, false)) {
      hart.pendingSignals |= 1L << 12;
      return Errno.BROKEN_PIPE;
    }
    int room = CAPACITY - pipe.bytes.size();
    if (room == 0 && count > 0) {
      return later(hart, end);
    }
    byte[] bytes = memory.read(address, (int) Math.min(count, room));
    for (byte b : bytes) {
      pipe.bytes.addLast(b);
    }
    threads.wake(pipe.key, Integer.MAX_VALUE, -1);
    return bytes.length;
  }

  private long later(Hart hart, LinuxFiles.Open.PipeEnd end) {
    return (end.flags() & NON_BLOCKING) != 0
        ? Errno.AGAIN
        : threads.again(hart, end.pipe().key, Long.MAX_VALUE);
  }

  /// Tells those that wait for a pipe that one of its ends was closed.
  void closed(Pipe pipe) {
    threads.wake(pipe.key, Integer.MAX_VALUE, -1);
  }

  private int ready(int descriptor) {
    return switch (files.get(descriptor)) {
      case LinuxFiles.Open.In _ -> POLL_IN;
      case LinuxFiles.Open.Out _ -> POLL_OUT;
      case LinuxFiles.Open.OpenFile _, LinuxFiles.Open.Folder _ -> POLL_IN | POLL_OUT;
      case LinuxFiles.Open.PipeEnd end -> {
        if (end.writes()) {
          boolean room = end.pipe().bytes.size() < CAPACITY;
          yield (room ? POLL_OUT : 0) | (hasEnd(end.pipe(), false) ? 0 : POLL_INVALID >> 2);
        }
        yield (end.pipe().bytes.isEmpty() ? 0 : POLL_IN)
            | (hasEnd(end.pipe(), true) ? 0 : POLL_HANG_UP);
      }
      case null -> POLL_INVALID;
    };
  }

  /// `ppoll`: how many of `count` descriptors are ready; waits up to `nanos` for one.
  long poll(Hart hart, long address, long count, long nanos) {
    if (count < 0 || count > 1024) {
      return Errno.INVALID;
    }
    long found = 0;
    for (long at = address; at < address + 8 * count; at += 8) {
      int descriptor = memory.load32(at);
      int asked = memory.load16(at + 4) | POLL_HANG_UP | POLL_INVALID | 8;
      int now = descriptor < 0 ? 0 : ready(descriptor) & asked;
      memory.store16(at + 6, now);
      found += now == 0 ? 0 : 1;
    }
    return found > 0 ? found : waitAtMost(hart, nanos);
  }

  /// `pselect6`: the same over bit sets of descriptors.
  long select(Hart hart, int count, long reads, long writes, long exceptions, long nanos) {
    if (count < 0) {
      return Errno.INVALID;
    }
    long[] sets = {reads, writes, exceptions};
    int[] wanted = {POLL_IN | POLL_HANG_UP, POLL_OUT, 0};
    TreeMap<Long, Long> answers = new TreeMap<>();
    long found = 0;
    for (int word = 0; word < Math.min(count, 1024) + 63 >> 6; word++) {
      for (int k = 0; k < 3; k++) {
        if (sets[k] == 0) {
          continue;
        }
        long asked = memory.load64(sets[k] + 8L * word);
        long answer = 0;
        for (int bit = 0; bit < 64 && word * 64 + bit < count; bit++) {
          if ((asked >>> bit & 1) != 0) {
            int now = ready(word * 64 + bit);
            if (now == POLL_INVALID) {
              return Errno.BAD_DESCRIPTOR;
            }
            answer |= (now & wanted[k]) != 0 ? 1L << bit : 0;
          }
        }
        found += Long.bitCount(answer);
        answers.put(sets[k] + 8L * word, answer);
      }
    }
    long result = found > 0 ? found : waitAtMost(hart, nanos);
    if (!hart.restarts) {
      answers.forEach(memory::store64);
    }
    return result;
  }

  /// Nothing is ready: 0 once the time is over, else the call is made again when it is or when a
  /// pipe moves, which may be soon.
  private long waitAtMost(Hart hart, long nanos) {
    if (nanos == 0) {
      return 0;
    }
    return threads.poll(hart, nanos);
  }
}
